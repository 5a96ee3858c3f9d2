<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="categorizedSymbol" symbollevels="0" forceraster="0" enableorderby="0" attr="kind">
  <categories>
   <category symbol="0" value="building" label="建筑物 building" render="true" type="string" />
   <category symbol="1" value="quarry" label="采砂取土 quarry" render="true" type="string" />
   <category symbol="2" value="dump" label="堆放物 dump" render="true" type="string" />
   <category symbol="3" value="occupation" label="占用地块 occupied plot" render="true" type="string" />
   <category symbol="4" value="net_pen" label="网箱网围 net pen" render="true" type="string" />
   <category symbol="5" value="unknown" label="待定 unknown" render="true" type="string" />
   <category symbol="6" value="" label="其他 others" render="true" type="string" />
  </categories>
  <symbols>
   <symbol type="marker" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="154,164,173,136" />
      <Option type="QString" name="outline_color" value="107,117,128,255" />
      <Option type="QString" name="outline_width" value="0.29" />
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
      <Option type="QString" name="color" value="163,148,134,119" />
      <Option type="QString" name="outline_color" value="125,111,100,255" />
      <Option type="QString" name="outline_width" value="0.29" />
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
      <Option type="QString" name="color" value="177,166,122,119" />
      <Option type="QString" name="outline_color" value="133,122,82,255" />
      <Option type="QString" name="outline_width" value="0.29" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="169,180,138,102" />
      <Option type="QString" name="outline_color" value="127,138,95,255" />
      <Option type="QString" name="outline_width" value="0.29" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="127,175,186,102" />
      <Option type="QString" name="outline_color" value="79,127,138,255" />
      <Option type="QString" name="outline_width" value="0.29" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="5" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="154,164,173,68" />
      <Option type="QString" name="outline_color" value="107,117,128,255" />
      <Option type="QString" name="outline_width" value="0.29" />
      <Option type="QString" name="outline_width_unit" value="MM" />
      <Option type="QString" name="size" value="2.38" />
      <Option type="QString" name="size_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="marker" name="6" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="154,164,173,102" />
      <Option type="QString" name="outline_color" value="107,117,128,255" />
      <Option type="QString" name="outline_width" value="0.29" />
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
  <field name="kind" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="建筑物 building" value="building" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="采砂取土 quarry" value="quarry" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="堆放物 dump" value="dump" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="占用地块 occupied plot" value="occupation" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="网箱网围 net pen" value="net_pen" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="待定 unknown" value="unknown" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="排污口 outfall" value="outfall" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="界线越过河道中心线 line crosses the river axis" value="crosses_axis" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="界线落在对岸 line on the other bank" value="wrong_bank" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="source_kind" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="建筑轮廓 building footprint" value="footprint" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="土地利用 land use" value="landuse" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="遥感 remote sensing" value="remote_sensing" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="巡查上报 inspector's report" value="inspector" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="视频告警 video alert" value="video" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="举报热线 hotline" value="hotline" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="feed" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="accuracy_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="seen_at" configurationFlags="None">
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
  <alias field="kind" index="2" name="类型 kind" />
  <alias field="source_kind" index="3" name="来源类型 source" />
  <alias field="feed" index="4" name="数据源 feed" />
  <alias field="accuracy_m" index="5" name="精度(米) accuracy, m" />
  <alias field="seen_at" index="6" name="发现时间 seen at" />
 </aliases>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="name" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="kind" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="source_kind" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="feed" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="accuracy_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="seen_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="name" hidden="0" width="-1" />
   <column type="field" name="kind" hidden="0" width="-1" />
   <column type="field" name="source_kind" hidden="0" width="-1" />
   <column type="field" name="feed" hidden="0" width="-1" />
   <column type="field" name="accuracy_m" hidden="0" width="-1" />
   <column type="field" name="seen_at" hidden="0" width="-1" />
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
  <attributeEditorContainer name="对象 object" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="name" index="1" showLabel="1" />
   <attributeEditorField name="kind" index="2" showLabel="1" />
   <attributeEditorField name="source_kind" index="3" showLabel="1" />
   <attributeEditorField name="feed" index="4" showLabel="1" />
   <attributeEditorField name="accuracy_m" index="5" showLabel="1" />
   <attributeEditorField name="seen_at" index="6" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="0" />
  <field name="name" editable="0" />
  <field name="kind" editable="0" />
  <field name="source_kind" editable="0" />
  <field name="feed" editable="0" />
  <field name="accuracy_m" editable="0" />
  <field name="seen_at" editable="0" />
  <field name="id" editable="0" />
 </editable>
 <previewExpression>"name"</previewExpression>
</qgis>
