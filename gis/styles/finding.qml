<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="categorizedSymbol" symbollevels="0" forceraster="0" enableorderby="0" attr="state">
  <categories>
   <category symbol="0" value="found" label="疑似问题线索 suspected lead" render="true" type="string" />
   <category symbol="1" value="problem" label="问题 problem" render="true" type="string" />
   <category symbol="2" value="assigned" label="已交办 assigned" render="true" type="string" />
   <category symbol="3" value="rectified" label="已整改待验收 rectified, awaiting acceptance" render="true" type="string" />
   <category symbol="4" value="historic_listed" label="历史碍洪挂账 historic, obstructing floods, listed" render="true" type="string" />
   <category symbol="5" value="" label="其他 others" render="true" type="string" />
  </categories>
  <symbols>
   <symbol type="fill" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="209,52,75,64" />
      <Option type="QString" name="outline_color" value="179,38,63,255" />
      <Option type="QString" name="outline_width" value="0.53" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="224,122,31,64" />
      <Option type="QString" name="outline_color" value="200,100,26,255" />
      <Option type="QString" name="outline_width" value="0.53" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="207,159,31,64" />
      <Option type="QString" name="outline_color" value="185,138,18,255" />
      <Option type="QString" name="outline_width" value="0.53" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="43,108,176,51" />
      <Option type="QString" name="outline_color" value="43,108,176,255" />
      <Option type="QString" name="outline_width" value="0.48" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="122,63,163,51" />
      <Option type="QString" name="outline_color" value="122,63,163,255" />
      <Option type="QString" name="outline_width" value="0.48" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="outline_style" value="solid" />
      <Option type="QString" name="style" value="solid" />
     </Option>
    </layer>
   </symbol>
   <symbol type="fill" name="5" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="color" value="107,117,128,51" />
      <Option type="QString" name="outline_color" value="107,117,128,255" />
      <Option type="QString" name="outline_width" value="0.48" />
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
   <text-style fieldName="&quot;class_code&quot;" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
    <families>
     <family name="Noto Sans CJK SC" />
     <family name="Microsoft YaHei" />
     <family name="WenQuanYi Micro Hei" />
    </families>
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <placement placement="1" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="10000" obstacle="1" drawLabels="1" />
  </settings>
 </labeling>
 <fieldConfiguration>
  <field name="class_code" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
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
        <Option type="QString" name="疑似问题线索 suspected lead" value="found" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="不是问题 not a problem" value="not_a_problem" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="历史不碍洪 historic, not obstructing floods" value="historic_harmless" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="历史碍洪挂账 historic, obstructing floods, listed" value="historic_listed" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="问题 problem" value="problem" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已交办 assigned" value="assigned" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已整改待验收 rectified, awaiting acceptance" value="rectified" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已验收 accepted" value="accepted" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="县内销号 closed in the county" value="closed" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="上级销号 closed by the higher level" value="closed_above" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已并案 merged into another case" value="merged" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="status" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="position" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="area_m2" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="first_night" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="night" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="clause" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="true" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
 <aliases>
  <alias field="class_code" index="0" name="问题分类 class" />
  <alias field="state" index="1" name="状态 state" />
  <alias field="status" index="2" name="现状 status" />
  <alias field="position" index="3" name="位置关系 position" />
  <alias field="area_m2" index="4" name="面积(平方米) area, m²" />
  <alias field="first_night" index="5" name="首次发现 first found" />
  <alias field="night" index="6" name="最近核查 last night" />
  <alias field="clause" index="7" name="条款 clause" />
 </aliases>
 <constraints>
  <constraint field="class_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="state" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="status" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="position" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="area_m2" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="first_night" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="night" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="clause" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="class_code" hidden="0" width="-1" />
   <column type="field" name="state" hidden="0" width="-1" />
   <column type="field" name="status" hidden="0" width="-1" />
   <column type="field" name="position" hidden="0" width="-1" />
   <column type="field" name="area_m2" hidden="0" width="-1" />
   <column type="field" name="first_night" hidden="0" width="-1" />
   <column type="field" name="night" hidden="0" width="-1" />
   <column type="field" name="clause" hidden="0" width="-1" />
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
  <attributeEditorContainer name="线索 lead" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="class_code" index="0" showLabel="1" />
   <attributeEditorField name="state" index="1" showLabel="1" />
   <attributeEditorField name="status" index="2" showLabel="1" />
   <attributeEditorField name="position" index="3" showLabel="1" />
   <attributeEditorField name="area_m2" index="4" showLabel="1" />
   <attributeEditorField name="first_night" index="5" showLabel="1" />
   <attributeEditorField name="night" index="6" showLabel="1" />
   <attributeEditorField name="clause" index="7" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="class_code" editable="0" />
  <field name="state" editable="0" />
  <field name="status" editable="0" />
  <field name="position" editable="0" />
  <field name="area_m2" editable="0" />
  <field name="first_night" editable="0" />
  <field name="night" editable="0" />
  <field name="clause" editable="0" />
  <field name="id" editable="0" />
 </editable>
</qgis>
