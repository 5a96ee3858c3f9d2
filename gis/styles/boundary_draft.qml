<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
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
  <field name="title" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="line_type" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="管理范围线 management" value="management" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="保护范围线 protection" value="protection" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="蓝线 blue line" value="blue_line" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="临水边界线 waterside" value="waterside" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="外缘边界线 outer" value="outer" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="state" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="内部草稿 draft" value="draft" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已送审 submitted" value="submitted" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已审查 reviewed" value="reviewed" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已公告 announced" value="announced" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已撤回 withdrawn" value="withdrawn" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="revision" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="changed_by" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="changed_at" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="opened_by" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="segments" configurationFlags="None">
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
  <alias field="title" index="1" name="名称 title" />
  <alias field="line_type" index="2" name="界线类型 line type" />
  <alias field="state" index="3" name="状态 state" />
  <alias field="revision" index="4" name="修订号 revision" />
  <alias field="changed_by" index="5" name="修改人 changed by" />
  <alias field="changed_at" index="6" name="修改时间 changed at" />
  <alias field="opened_by" index="7" name="起草人 opened by" />
  <alias field="segments" index="8" name="线段数 stretches" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="title" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="line_type" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="state" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="revision" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="changed_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="changed_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="opened_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="segments" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="title" hidden="0" width="-1" />
   <column type="field" name="line_type" hidden="0" width="-1" />
   <column type="field" name="state" hidden="0" width="-1" />
   <column type="field" name="revision" hidden="0" width="-1" />
   <column type="field" name="changed_by" hidden="0" width="-1" />
   <column type="field" name="changed_at" hidden="0" width="-1" />
   <column type="field" name="opened_by" hidden="0" width="-1" />
   <column type="field" name="segments" hidden="0" width="-1" />
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
  <attributeEditorContainer name="草案 draft" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="title" index="1" showLabel="1" />
   <attributeEditorField name="line_type" index="2" showLabel="1" />
   <attributeEditorField name="state" index="3" showLabel="1" />
   <attributeEditorField name="revision" index="4" showLabel="1" />
   <attributeEditorField name="changed_by" index="5" showLabel="1" />
   <attributeEditorField name="changed_at" index="6" showLabel="1" />
   <attributeEditorField name="opened_by" index="7" showLabel="1" />
   <attributeEditorField name="segments" index="8" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="title" editable="0" />
  <field name="line_type" editable="0" />
  <field name="state" editable="0" />
  <field name="revision" editable="0" />
  <field name="changed_by" editable="0" />
  <field name="changed_at" editable="0" />
  <field name="opened_by" editable="0" />
  <field name="segments" editable="0" />
  <field name="id" editable="0" />
 </editable>
 <previewExpression>"title"</previewExpression>
</qgis>
