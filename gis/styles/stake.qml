<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="RuleRenderer" symbollevels="0" forceraster="0" enableorderby="0">
  <rules key="{stake}">
   <rule key="{stake.0}" symbol="0" filter="status in ('lost', 'damaged')" label="缺失或损毁 lost or damaged" />
   <rule key="{stake.1}" symbol="1" filter="kind = 'virtual'" label="虚拟桩 virtual stake" />
   <rule key="{stake.2}" symbol="2" filter="kind = 'dense'" label="加密桩 dense stake" />
   <rule key="{stake.3}" symbol="3" filter="ELSE" label="界桩 stakes" />
  </rules>
  <symbols>
   <symbol type="marker" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="triangle" />
      <Option type="QString" name="color" value="17,17,17,255" />
      <Option type="QString" name="outline_color" value="179,38,63,255" />
      <Option type="QString" name="outline_width" value="0.42" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="255,255,255,0" />
      <Option type="QString" name="outline_color" value="140,39,71,255" />
      <Option type="QString" name="outline_width" value="0.32" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="243,213,221,255" />
      <Option type="QString" name="outline_color" value="140,39,71,255" />
      <Option type="QString" name="outline_width" value="0.32" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="square" />
      <Option type="QString" name="color" value="255,255,255,255" />
      <Option type="QString" name="outline_color" value="140,39,71,255" />
      <Option type="QString" name="outline_width" value="0.37" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="&quot;code&quot;" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
    <families>
     <family name="Noto Sans CJK SC" />
     <family name="Microsoft YaHei" />
     <family name="WenQuanYi Micro Hei" />
    </families>
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <placement placement="6" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="10000" obstacle="1" drawLabels="1" />
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
  <field name="bank" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="左岸 left bank" value="left" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="右岸 right bank" value="right" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="两岸 both banks" value="both" />
       </Option>
      </Option>
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
        <Option type="QString" name="基本桩 base" value="base" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="加密桩 dense" value="dense" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="移位桩 moved" value="moved" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="虚拟桩 virtual" value="virtual" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="at_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="status" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="完好 good" value="good" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="损毁 damaged" value="damaged" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="缺失 lost" value="lost" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="待埋设 to be set" value="planned" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="height_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="vertical_datum" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="measured_on" configurationFlags="None">
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
  <alias field="river_id" index="1" name="河流 river" />
  <alias field="bank" index="2" name="岸别 bank" />
  <alias field="kind" index="3" name="类型 kind" />
  <alias field="at_m" index="4" name="桩号(米) chainage, m" />
  <alias field="status" index="5" name="现状 status" />
  <alias field="height_m" index="6" name="高程(米) height, m" />
  <alias field="vertical_datum" index="7" name="高程基准 vertical datum" />
  <alias field="measured_on" index="8" name="测量日期 measured on" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="river_id" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="kind" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="at_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="status" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="height_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="vertical_datum" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="measured_on" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="river_id" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="kind" hidden="0" width="-1" />
   <column type="field" name="at_m" hidden="0" width="-1" />
   <column type="field" name="status" hidden="0" width="-1" />
   <column type="field" name="height_m" hidden="0" width="-1" />
   <column type="field" name="vertical_datum" hidden="0" width="-1" />
   <column type="field" name="measured_on" hidden="0" width="-1" />
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
  <attributeEditorContainer name="界桩 stake" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="river_id" index="1" showLabel="1" />
   <attributeEditorField name="bank" index="2" showLabel="1" />
   <attributeEditorField name="kind" index="3" showLabel="1" />
   <attributeEditorField name="at_m" index="4" showLabel="1" />
   <attributeEditorField name="status" index="5" showLabel="1" />
   <attributeEditorField name="height_m" index="6" showLabel="1" />
   <attributeEditorField name="vertical_datum" index="7" showLabel="1" />
   <attributeEditorField name="measured_on" index="8" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="river_id" editable="0" />
  <field name="bank" editable="0" />
  <field name="kind" editable="0" />
  <field name="at_m" editable="0" />
  <field name="status" editable="0" />
  <field name="height_m" editable="0" />
  <field name="vertical_datum" editable="0" />
  <field name="measured_on" editable="0" />
  <field name="id" editable="0" />
 </editable>
 <previewExpression>"code"</previewExpression>
</qgis>
