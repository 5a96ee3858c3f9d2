<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="categorizedSymbol" symbollevels="0" forceraster="0" enableorderby="0" attr="kind">
  <categories>
   <category symbol="0" value="river" label="河流 river" render="true" type="string" />
   <category symbol="1" value="stream" label="溪沟 stream" render="true" type="string" />
   <category symbol="2" value="canal" label="渠道 canal" render="true" type="string" />
   <category symbol="3" value="ditch" label="沟渠 ditch" render="true" type="string" />
   <category symbol="4" value="braid" label="汊道 braid" render="true" type="string" />
   <category symbol="5" value="flow_path" label="汇流路径 flow path" render="true" type="string" />
   <category symbol="6" value="shoreline" label="岸线 shoreline" render="true" type="string" />
   <category symbol="7" value="" label="其他 others" render="true" type="string" />
  </categories>
  <symbols>
   <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="31,115,166,255" />
      <Option type="QString" name="line_width" value="0.74" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@0@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="31,115,166,255" />
        <Option type="QString" name="outline_color" value="31,115,166,255" />
        <Option type="QString" name="outline_width" value="0.74" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.59" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="61,147,191,255" />
      <Option type="QString" name="line_width" value="0.48" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@1@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="61,147,191,255" />
        <Option type="QString" name="outline_color" value="61,147,191,255" />
        <Option type="QString" name="outline_width" value="0.48" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.33" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="58,143,157,255" />
      <Option type="QString" name="line_width" value="0.48" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@2@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="58,143,157,255" />
        <Option type="QString" name="outline_color" value="58,143,157,255" />
        <Option type="QString" name="outline_width" value="0.48" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.33" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="111,179,205,255" />
      <Option type="QString" name="line_width" value="0.32" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@3@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="111,179,205,255" />
        <Option type="QString" name="outline_color" value="111,179,205,255" />
        <Option type="QString" name="outline_width" value="0.32" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.17" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="79,159,202,255" />
      <Option type="QString" name="line_width" value="0.42" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@4@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="79,159,202,255" />
        <Option type="QString" name="outline_color" value="79,159,202,255" />
        <Option type="QString" name="outline_width" value="0.42" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.28" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="5" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="156,201,220,255" />
      <Option type="QString" name="line_width" value="0.32" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="0.79;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@5@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="156,201,220,255" />
        <Option type="QString" name="outline_color" value="156,201,220,255" />
        <Option type="QString" name="outline_width" value="0.32" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.17" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="6" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="79,159,202,255" />
      <Option type="QString" name="line_width" value="0.32" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="0.26;0.79" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@6@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="79,159,202,255" />
        <Option type="QString" name="outline_color" value="79,159,202,255" />
        <Option type="QString" name="outline_width" value="0.32" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.17" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
   <symbol type="line" name="7" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="46,134,181,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
    <layer class="MarkerLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="placements" value="Interval" />
      <Option type="QString" name="interval" value="32" />
      <Option type="QString" name="interval_unit" value="MM" />
      <Option type="QString" name="rotate" value="1" />
     </Option>
     <symbol type="marker" name="@7@1" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
       <Option type="Map">
        <Option type="QString" name="name" value="filled_arrowhead" />
        <Option type="QString" name="color" value="46,134,181,255" />
        <Option type="QString" name="outline_color" value="46,134,181,255" />
        <Option type="QString" name="outline_width" value="0.53" />
        <Option type="QString" name="outline_width_unit" value="MM" />
        <Option type="QString" name="size" value="2.38" />
        <Option type="QString" name="size_unit" value="MM" />
       </Option>
      </layer>
     </symbol>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="&quot;name&quot;" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
    <families>
     <family name="Noto Sans CJK SC" />
     <family name="Microsoft YaHei" />
     <family name="WenQuanYi Micro Hei" />
    </families>
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <placement placement="2" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="100000" obstacle="1" drawLabels="1" />
  </settings>
 </labeling>
 <fieldConfiguration>
  <field name="code" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="name" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="river_id" configurationFlags="None">
   <editWidget type="ValueRelation">
    <config>
     <Option type="Map">
      <Option type="QString" name="Layer" value="rivergis_river" />
      <Option type="QString" name="Key" value="id" />
      <Option type="QString" name="Value" value="name" />
      <Option type="bool" name="AllowNull" value="true" />
      <Option type="bool" name="OrderByValue" value="true" />
      <Option type="bool" name="UseCompleter" value="true" />
      <Option type="QString" name="FilterExpression" value="" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="kind" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="河流 river" value="river" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="溪沟 stream" value="stream" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="渠道 canal" value="canal" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="沟渠 ditch" value="ditch" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="汊道 braid" value="braid" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="汇流路径 flow path" value="flow_path" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="岸线 shoreline" value="shoreline" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="from_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="to_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="length_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="half_width_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
 <aliases>
  <alias field="code" index="0" name="编号 code" />
  <alias field="name" index="1" name="名称 name" />
  <alias field="river_id" index="2" name="河流 river" />
  <alias field="kind" index="3" name="类型 kind" />
  <alias field="from_m" index="4" name="起点桩号(米) from, m" />
  <alias field="to_m" index="5" name="终点桩号(米) to, m" />
  <alias field="length_m" index="6" name="长度(米) length, m" />
  <alias field="half_width_m" index="7" name="半水面宽(米) half width, m" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="name" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="river_id" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="kind" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="length_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="half_width_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="name" hidden="0" width="-1" />
   <column type="field" name="river_id" hidden="0" width="-1" />
   <column type="field" name="kind" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
   <column type="field" name="length_m" hidden="0" width="-1" />
   <column type="field" name="half_width_m" hidden="0" width="-1" />
   <column type="field" name="id" hidden="1" width="-1" />
   <column type="field" name="version" hidden="1" width="-1" />
   <column type="field" name="code_namespace" hidden="1" width="-1" />
   <column type="field" name="valid" hidden="1" width="-1" />
   <column type="field" name="recorded_at" hidden="1" width="-1" />
   <column type="field" name="superseded_at" hidden="1" width="-1" />
   <column type="field" name="actor" hidden="1" width="-1" />
   <column type="field" name="import_id" hidden="1" width="-1" />
   <column type="field" name="source_feature" hidden="1" width="-1" />
   <column type="field" name="source" hidden="1" width="-1" />
   <column type="field" name="content_hash" hidden="1" width="-1" />
   <column type="field" name="segment_id" hidden="1" width="-1" />
   <column type="field" name="edition" hidden="1" width="-1" />
   <column type="field" name="saved_edition" hidden="1" width="-1" />
   <column type="field" name="draft_title" hidden="1" width="-1" />
   <column type="field" name="river_code" hidden="1" width="-1" />
   <column type="field" name="river_name" hidden="1" width="-1" />
   <column type="field" name="number_series" hidden="1" width="-1" />
   <column type="field" name="photo_sha256" hidden="1" width="-1" />
   <column type="field" name="evidence" hidden="1" width="-1" />
   <column type="field" name="figures" hidden="1" width="-1" />
   <column type="field" name="axis_id" hidden="1" width="-1" />
   <column type="field" name="axis_version" hidden="1" width="-1" />
  </columns>
 </attributetableconfig>
 <editorlayout>tablayout</editorlayout>
 <attributeEditorForm>
  <attributeEditorContainer name="河段 reach" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="name" index="1" showLabel="1" />
   <attributeEditorField name="river_id" index="2" showLabel="1" />
   <attributeEditorField name="kind" index="3" showLabel="1" />
   <attributeEditorField name="from_m" index="4" showLabel="1" />
   <attributeEditorField name="to_m" index="5" showLabel="1" />
   <attributeEditorField name="length_m" index="6" showLabel="1" />
   <attributeEditorField name="half_width_m" index="7" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="name" editable="0" />
  <field name="river_id" editable="0" />
  <field name="kind" editable="0" />
  <field name="from_m" editable="0" />
  <field name="to_m" editable="0" />
  <field name="length_m" editable="0" />
  <field name="half_width_m" editable="0" />
  <field name="id" editable="0" />
 </editable>
 <previewExpression>"name"</previewExpression>
</qgis>
