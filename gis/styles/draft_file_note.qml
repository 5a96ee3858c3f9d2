<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="singleSymbol" symbollevels="0" forceraster="0" enableorderby="0">
  <symbols>
   <symbol type="marker" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
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
 </fieldConfiguration>
 <aliases>
  <alias field="code" index="0" name="编号 code" />
  <alias field="sentence" index="1" name="说明 sentence" />
  <alias field="reach" index="2" name="河段 reach" />
  <alias field="bank" index="3" name="岸别 bank" />
  <alias field="from_m" index="4" name="起点桩号(米) from, m" />
  <alias field="to_m" index="5" name="终点桩号(米) to, m" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="sentence" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reach" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="sentence" hidden="0" width="-1" />
   <column type="field" name="reach" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
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
  <attributeEditorContainer name="事项 note" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="sentence" index="1" showLabel="1" />
   <attributeEditorField name="reach" index="2" showLabel="1" />
   <attributeEditorField name="bank" index="3" showLabel="1" />
   <attributeEditorField name="from_m" index="4" showLabel="1" />
   <attributeEditorField name="to_m" index="5" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="sentence" editable="0" />
  <field name="reach" editable="0" />
  <field name="bank" editable="0" />
  <field name="from_m" editable="0" />
  <field name="to_m" editable="0" />
 </editable>
 <previewExpression>"code"</previewExpression>
</qgis>
