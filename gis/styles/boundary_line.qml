<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="categorizedSymbol" symbollevels="0" forceraster="0" enableorderby="0" attr="basis">
  <categories>
   <category symbol="0" value="announced" label="已公告界线 announced line" render="true" type="string" />
   <category symbol="1" value="draft" label="内部草稿·非测绘成果 internal draft" render="true" type="string" />
   <category symbol="2" value="surrogate" label="替代边界(水边线或中心线外延),仅供参考 surrogate boundary, orientation only" render="true" type="string" />
   <category symbol="3" value="computed" label="计算边界,仅供参考 computed boundary, orientation only" render="true" type="string" />
   <category symbol="4" value="" label="其他 others" render="true" type="string" />
  </categories>
  <symbols>
   <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="179,40,79,255" />
      <Option type="QString" name="line_width" value="0.58" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="204,122,45,255" />
      <Option type="QString" name="line_width" value="0.48" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.32" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="123,106,159,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="0.26;1.32" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="123,106,159,255" />
      <Option type="QString" name="line_width" value="0.42" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="1.06;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="194,85,112,255" />
      <Option type="QString" name="line_width" value="0.42" />
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
  <field name="version_code" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="river_code" configurationFlags="None">
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
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="basis" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="announce_gov" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="announce_doc_no" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="announced_on" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="survey_scale" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="xy_error_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
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
  <field name="valid_from" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="valid_to" configurationFlags="None">
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
  <alias field="code" index="0" name="编码 code" />
  <alias field="version_code" index="1" name="划界成果编码 delimitation code" />
  <alias field="river_code" index="2" name="河流编码 river code" />
  <alias field="bank" index="3" name="岸别 bank" />
  <alias field="line_type" index="4" name="线型 line type" />
  <alias field="basis" index="5" name="依据 basis" />
  <alias field="announce_gov" index="6" name="公告机关 announcing government" />
  <alias field="announce_doc_no" index="7" name="公告文号 document number" />
  <alias field="announced_on" index="8" name="公告日期 announced on" />
  <alias field="survey_scale" index="9" name="测图比例尺分母 survey scale" />
  <alias field="xy_error_m" index="10" name="点位误差 m position error, m" />
  <alias field="from_m" index="11" name="起点桩号 m from chainage, m" />
  <alias field="to_m" index="12" name="终点桩号 m to chainage, m" />
  <alias field="valid_from" index="13" name="有效起日 valid from" />
  <alias field="valid_to" index="14" name="有效止日 valid to, inclusive" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="version_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="river_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="line_type" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="basis" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="announce_gov" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="announce_doc_no" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="announced_on" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="survey_scale" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="xy_error_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="valid_from" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="valid_to" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="version_code" hidden="0" width="-1" />
   <column type="field" name="river_code" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="line_type" hidden="0" width="-1" />
   <column type="field" name="basis" hidden="0" width="-1" />
   <column type="field" name="announce_gov" hidden="0" width="-1" />
   <column type="field" name="announce_doc_no" hidden="0" width="-1" />
   <column type="field" name="announced_on" hidden="0" width="-1" />
   <column type="field" name="survey_scale" hidden="0" width="-1" />
   <column type="field" name="xy_error_m" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
   <column type="field" name="valid_from" hidden="0" width="-1" />
   <column type="field" name="valid_to" hidden="0" width="-1" />
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
  <attributeEditorContainer name="管理范围线 boundary line" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="version_code" index="1" showLabel="1" />
   <attributeEditorField name="river_code" index="2" showLabel="1" />
   <attributeEditorField name="bank" index="3" showLabel="1" />
   <attributeEditorField name="line_type" index="4" showLabel="1" />
   <attributeEditorField name="basis" index="5" showLabel="1" />
   <attributeEditorField name="announce_gov" index="6" showLabel="1" />
   <attributeEditorField name="announce_doc_no" index="7" showLabel="1" />
   <attributeEditorField name="announced_on" index="8" showLabel="1" />
   <attributeEditorField name="survey_scale" index="9" showLabel="1" />
   <attributeEditorField name="xy_error_m" index="10" showLabel="1" />
   <attributeEditorField name="from_m" index="11" showLabel="1" />
   <attributeEditorField name="to_m" index="12" showLabel="1" />
   <attributeEditorField name="valid_from" index="13" showLabel="1" />
   <attributeEditorField name="valid_to" index="14" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="version_code" editable="0" />
  <field name="river_code" editable="0" />
  <field name="bank" editable="0" />
  <field name="line_type" editable="0" />
  <field name="basis" editable="0" />
  <field name="announce_gov" editable="0" />
  <field name="announce_doc_no" editable="0" />
  <field name="announced_on" editable="0" />
  <field name="survey_scale" editable="0" />
  <field name="xy_error_m" editable="0" />
  <field name="from_m" editable="0" />
  <field name="to_m" editable="0" />
  <field name="valid_from" editable="0" />
  <field name="valid_to" editable="0" />
 </editable>
 <previewExpression>"code"</previewExpression>
</qgis>
