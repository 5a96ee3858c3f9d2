<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="1">
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
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="concat(&quot;river_name&quot;, ' ', if(&quot;bank&quot; = 'left', '左岸', '右岸'), ' ', floor(&quot;from_m&quot; / 1000), '+', lpad(to_string(floor(&quot;from_m&quot; % 1000)), 3, '0'), '–', floor(&quot;to_m&quot; / 1000), '+', lpad(to_string(floor(&quot;to_m&quot; % 1000)), 3, '0'))" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
    <families>
     <family name="Noto Sans CJK SC" />
     <family name="Microsoft YaHei" />
     <family name="WenQuanYi Micro Hei" />
    </families>
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <placement placement="2" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="50000" obstacle="1" drawLabels="1" />
  </settings>
 </labeling>
 <fieldConfiguration>
  <field name="boundary_code" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="river_name" configurationFlags="None">
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
  <field name="standing" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="内部草稿·非测绘成果 internal draft, no result of surveying" value="draft" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已送审·非测绘成果 submitted, no result of surveying" value="submitted" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已审查·非测绘成果 reviewed, no result of surveying" value="reviewed" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="示意·非测绘成果 sketch, no result of surveying" value="sketch" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已公告 announced" value="announced" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="现行有效 in force" value="in_force" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已被取代 superseded" value="superseded" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="已废止 revoked" value="revoked" />
       </Option>
      </Option>
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
  <field name="in_force_from" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="in_force_until" configurationFlags="None">
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
  <alias field="boundary_code" index="0" name="划界成果 delimitation" />
  <alias field="river_name" index="1" name="河流 river" />
  <alias field="bank" index="2" name="岸别 bank" />
  <alias field="from_m" index="3" name="起点桩号(米) from, m" />
  <alias field="to_m" index="4" name="终点桩号(米) to, m" />
  <alias field="line_type" index="5" name="界线类型 line type" />
  <alias field="standing" index="6" name="效力 standing" />
  <alias field="announce_gov" index="7" name="公告单位 announced by" />
  <alias field="announce_doc_no" index="8" name="公告文号 document" />
  <alias field="announced_on" index="9" name="公告日期 announced on" />
  <alias field="in_force_from" index="10" name="生效日期 in force from" />
  <alias field="in_force_until" index="11" name="有效至 in force until" />
 </aliases>
 <constraints>
  <constraint field="boundary_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="river_name" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="line_type" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="standing" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="announce_gov" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="announce_doc_no" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="announced_on" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="in_force_from" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="in_force_until" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="boundary_code" hidden="0" width="-1" />
   <column type="field" name="river_name" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
   <column type="field" name="line_type" hidden="0" width="-1" />
   <column type="field" name="standing" hidden="0" width="-1" />
   <column type="field" name="announce_gov" hidden="0" width="-1" />
   <column type="field" name="announce_doc_no" hidden="0" width="-1" />
   <column type="field" name="announced_on" hidden="0" width="-1" />
   <column type="field" name="in_force_from" hidden="0" width="-1" />
   <column type="field" name="in_force_until" hidden="0" width="-1" />
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
  <attributeEditorContainer name="公告 announcement" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="boundary_code" index="0" showLabel="1" />
   <attributeEditorField name="river_name" index="1" showLabel="1" />
   <attributeEditorField name="bank" index="2" showLabel="1" />
   <attributeEditorField name="from_m" index="3" showLabel="1" />
   <attributeEditorField name="to_m" index="4" showLabel="1" />
   <attributeEditorField name="line_type" index="5" showLabel="1" />
   <attributeEditorField name="standing" index="6" showLabel="1" />
   <attributeEditorField name="announce_gov" index="7" showLabel="1" />
   <attributeEditorField name="announce_doc_no" index="8" showLabel="1" />
   <attributeEditorField name="announced_on" index="9" showLabel="1" />
   <attributeEditorField name="in_force_from" index="10" showLabel="1" />
   <attributeEditorField name="in_force_until" index="11" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="boundary_code" editable="0" />
  <field name="river_name" editable="0" />
  <field name="bank" editable="0" />
  <field name="from_m" editable="0" />
  <field name="to_m" editable="0" />
  <field name="line_type" editable="0" />
  <field name="standing" editable="0" />
  <field name="announce_gov" editable="0" />
  <field name="announce_doc_no" editable="0" />
  <field name="announced_on" editable="0" />
  <field name="in_force_from" editable="0" />
  <field name="in_force_until" editable="0" />
  <field name="id" editable="0" />
 </editable>
</qgis>
