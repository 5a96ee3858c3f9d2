<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="categorizedSymbol" symbollevels="0" forceraster="0" enableorderby="0" attr="zone_class">
  <categories>
   <category symbol="0" value="1" label="一级保护区 class 1 zone" render="true" type="string" />
   <category symbol="1" value="2" label="二级保护区 class 2 zone" render="true" type="string" />
   <category symbol="2" value="3" label="准保护区 class 3 (outer) zone" render="true" type="string" />
   <category symbol="3" value="" label="其他 others" render="true" type="string" />
  </categories>
  <symbols>
   <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="15,107,74,85" />
      <Option type="QString" name="outline_color" value="15,107,74,255" />
      <Option type="QString" name="outline_width" value="0.42" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="47,143,107,56" />
      <Option type="QString" name="outline_color" value="47,143,107,255" />
      <Option type="QString" name="outline_width" value="0.34" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="116,183,152,38" />
      <Option type="QString" name="outline_color" value="116,183,152,255" />
      <Option type="QString" name="outline_width" value="0.29" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="dash" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="47,143,107,34" />
      <Option type="QString" name="outline_color" value="47,143,107,255" />
      <Option type="QString" name="outline_width" value="0.32" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
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
   <placement placement="1" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="50000" obstacle="1" drawLabels="1" />
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
  <field name="zone_class" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="part" configurationFlags="None">
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
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="已公告界线 announced line" value="announced" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="内部草稿·非测绘成果 internal draft" value="draft" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="替代边界(水边线或中心线外延),仅供参考 surrogate boundary, orientation only" value="surrogate" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="计算边界,仅供参考 computed boundary, orientation only" value="computed" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已批复保护区 gazetted zone" value="gazette" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="登记位置 register" value="register" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="doc_no" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="approved_by" configurationFlags="None">
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
  <alias field="zone_class" index="2" name="级别 class" />
  <alias field="part" index="3" name="水域或陆域 part" />
  <alias field="basis" index="4" name="成果性质 basis" />
  <alias field="doc_no" index="5" name="文号 document" />
  <alias field="approved_by" index="6" name="批复机关 approved by" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="name" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="zone_class" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="part" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="basis" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="doc_no" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="approved_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="name" hidden="0" width="-1" />
   <column type="field" name="zone_class" hidden="0" width="-1" />
   <column type="field" name="part" hidden="0" width="-1" />
   <column type="field" name="basis" hidden="0" width="-1" />
   <column type="field" name="doc_no" hidden="0" width="-1" />
   <column type="field" name="approved_by" hidden="0" width="-1" />
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
  <attributeEditorContainer name="保护区 zone" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="name" index="1" showLabel="1" />
   <attributeEditorField name="zone_class" index="2" showLabel="1" />
   <attributeEditorField name="part" index="3" showLabel="1" />
   <attributeEditorField name="basis" index="4" showLabel="1" />
   <attributeEditorField name="doc_no" index="5" showLabel="1" />
   <attributeEditorField name="approved_by" index="6" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="name" editable="0" />
  <field name="zone_class" editable="0" />
  <field name="part" editable="0" />
  <field name="basis" editable="0" />
  <field name="doc_no" editable="0" />
  <field name="approved_by" editable="0" />
  <field name="id" editable="0" />
 </editable>
 <previewExpression>"name"</previewExpression>
</qgis>
