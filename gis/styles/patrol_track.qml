<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="singleSymbol" symbollevels="0" forceraster="0" enableorderby="0">
  <symbols>
   <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="59,47,99,255" />
      <Option type="QString" name="line_width" value="0.48" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <fieldConfiguration>
  <field name="day" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="chief_code" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="mode" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="started_at" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="ended_at" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="fix_count" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="unit_code" configurationFlags="None">
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
  <alias field="day" index="0" name="日期 civil day" />
  <alias field="chief_code" index="1" name="河长编码 chief code" />
  <alias field="mode" index="2" name="方式 mode" />
  <alias field="started_at" index="3" name="开始 started at" />
  <alias field="ended_at" index="4" name="结束 ended at" />
  <alias field="fix_count" index="5" name="定位点数 fixes" />
  <alias field="unit_code" index="6" name="行政区编码 unit code" />
 </aliases>
 <constraints>
  <constraint field="day" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="chief_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="mode" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="started_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="ended_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="fix_count" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="unit_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="day" hidden="0" width="-1" />
   <column type="field" name="chief_code" hidden="0" width="-1" />
   <column type="field" name="mode" hidden="0" width="-1" />
   <column type="field" name="started_at" hidden="0" width="-1" />
   <column type="field" name="ended_at" hidden="0" width="-1" />
   <column type="field" name="fix_count" hidden="0" width="-1" />
   <column type="field" name="unit_code" hidden="0" width="-1" />
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
  <attributeEditorContainer name="巡河轨迹 patrol track" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="day" index="0" showLabel="1" />
   <attributeEditorField name="chief_code" index="1" showLabel="1" />
   <attributeEditorField name="mode" index="2" showLabel="1" />
   <attributeEditorField name="started_at" index="3" showLabel="1" />
   <attributeEditorField name="ended_at" index="4" showLabel="1" />
   <attributeEditorField name="fix_count" index="5" showLabel="1" />
   <attributeEditorField name="unit_code" index="6" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="day" editable="0" />
  <field name="chief_code" editable="0" />
  <field name="mode" editable="0" />
  <field name="started_at" editable="0" />
  <field name="ended_at" editable="0" />
  <field name="fix_count" editable="0" />
  <field name="unit_code" editable="0" />
 </editable>
</qgis>
