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
      <Option type="QString" name="line_color" value="138,106,58,255" />
      <Option type="QString" name="line_width" value="0.69" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
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
  <field name="grade" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="line_role" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="背水坡脚 landward toe" value="landward_toe" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="临水坡脚 waterside toe" value="waterside_toe" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="堤顶 crest" value="crest" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="design_return_period_a" configurationFlags="None">
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
  <alias field="grade" index="3" name="等级 grade" />
  <alias field="line_role" index="4" name="线位 which line" />
  <alias field="design_return_period_a" index="5" name="设计重现期(年) design return period, years" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="river_id" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="grade" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="line_role" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="design_return_period_a" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="river_id" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="grade" hidden="0" width="-1" />
   <column type="field" name="line_role" hidden="0" width="-1" />
   <column type="field" name="design_return_period_a" hidden="0" width="-1" />
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
  <attributeEditorContainer name="堤防 levee" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="river_id" index="1" showLabel="1" />
   <attributeEditorField name="bank" index="2" showLabel="1" />
   <attributeEditorField name="grade" index="3" showLabel="1" />
   <attributeEditorField name="line_role" index="4" showLabel="1" />
   <attributeEditorField name="design_return_period_a" index="5" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="river_id" editable="0" />
  <field name="bank" editable="0" />
  <field name="grade" editable="0" />
  <field name="line_role" editable="0" />
  <field name="design_return_period_a" editable="0" />
  <field name="id" editable="0" />
 </editable>
 <previewExpression>"code"</previewExpression>
</qgis>
