<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="categorizedSymbol" symbollevels="0" forceraster="0" enableorderby="0" attr="severity">
  <categories>
   <category symbol="0" value="blocks" label="阻止报批 blocks approval" render="true" type="string" />
   <category symbol="1" value="advises" label="提示 advises" render="true" type="string" />
   <category symbol="2" value="" label="其他 others" render="true" type="string" />
  </categories>
  <symbols>
   <symbol type="marker" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="triangle" />
      <Option type="QString" name="color" value="224,51,75,255" />
      <Option type="QString" name="outline_color" value="125,15,31,255" />
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
      <Option type="QString" name="color" value="242,193,78,255" />
      <Option type="QString" name="outline_color" value="122,90,0,255" />
      <Option type="QString" name="outline_width" value="0.37" />
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
      <Option type="QString" name="color" value="224,160,33,255" />
      <Option type="QString" name="outline_color" value="91,58,0,255" />
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
   <text-style fieldName="concat(&quot;code_zh&quot;, if(&quot;measure&quot; is null, '', concat(' ', round(&quot;measure&quot;, 2), ' ', &quot;unit&quot;)))" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
    <families>
     <family name="Noto Sans CJK SC" />
     <family name="Microsoft YaHei" />
     <family name="WenQuanYi Micro Hei" />
    </families>
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <placement placement="6" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="15000" obstacle="1" drawLabels="1" />
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
  <field name="code_zh" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="severity" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="阻止报批 blocks approval" value="blocks" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="提示 advises" value="advises" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="sentence" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="true" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reach" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
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
  <field name="measure" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="unit" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="features" configurationFlags="None">
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
  <alias field="code_zh" index="1" name="缺陷 defect" />
  <alias field="severity" index="2" name="严重程度 severity" />
  <alias field="sentence" index="3" name="说明 sentence" />
  <alias field="reach" index="4" name="河段 reach" />
  <alias field="bank" index="5" name="岸别 bank" />
  <alias field="from_m" index="6" name="起点桩号(米) from, m" />
  <alias field="to_m" index="7" name="终点桩号(米) to, m" />
  <alias field="measure" index="8" name="量值 measure" />
  <alias field="unit" index="9" name="单位 unit" />
  <alias field="features" index="10" name="涉及要素 features" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="code_zh" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="severity" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="sentence" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reach" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="measure" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="unit" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="features" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="code_zh" hidden="0" width="-1" />
   <column type="field" name="severity" hidden="0" width="-1" />
   <column type="field" name="sentence" hidden="0" width="-1" />
   <column type="field" name="reach" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
   <column type="field" name="measure" hidden="0" width="-1" />
   <column type="field" name="unit" hidden="0" width="-1" />
   <column type="field" name="features" hidden="0" width="-1" />
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
  <attributeEditorContainer name="缺陷 defect" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="code_zh" index="1" showLabel="1" />
   <attributeEditorField name="severity" index="2" showLabel="1" />
   <attributeEditorField name="sentence" index="3" showLabel="1" />
   <attributeEditorField name="reach" index="4" showLabel="1" />
   <attributeEditorField name="bank" index="5" showLabel="1" />
   <attributeEditorField name="from_m" index="6" showLabel="1" />
   <attributeEditorField name="to_m" index="7" showLabel="1" />
   <attributeEditorField name="measure" index="8" showLabel="1" />
   <attributeEditorField name="unit" index="9" showLabel="1" />
   <attributeEditorField name="features" index="10" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="code_zh" editable="0" />
  <field name="severity" editable="0" />
  <field name="sentence" editable="0" />
  <field name="reach" editable="0" />
  <field name="bank" editable="0" />
  <field name="from_m" editable="0" />
  <field name="to_m" editable="0" />
  <field name="measure" editable="0" />
  <field name="unit" editable="0" />
  <field name="features" editable="0" />
 </editable>
 <previewExpression>"code"</previewExpression>
</qgis>
