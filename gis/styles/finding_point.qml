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
   <symbol type="marker" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleMarker" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="name" value="circle" />
      <Option type="QString" name="color" value="209,52,75,64" />
      <Option type="QString" name="outline_color" value="179,38,63,255" />
      <Option type="QString" name="outline_width" value="0.53" />
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
      <Option type="QString" name="color" value="224,122,31,64" />
      <Option type="QString" name="outline_color" value="200,100,26,255" />
      <Option type="QString" name="outline_width" value="0.53" />
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
      <Option type="QString" name="color" value="207,159,31,64" />
      <Option type="QString" name="outline_color" value="185,138,18,255" />
      <Option type="QString" name="outline_width" value="0.53" />
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
      <Option type="QString" name="color" value="43,108,176,51" />
      <Option type="QString" name="outline_color" value="43,108,176,255" />
      <Option type="QString" name="outline_width" value="0.48" />
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
      <Option type="QString" name="color" value="122,63,163,51" />
      <Option type="QString" name="outline_color" value="122,63,163,255" />
      <Option type="QString" name="outline_width" value="0.48" />
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
      <Option type="QString" name="color" value="107,117,128,51" />
      <Option type="QString" name="outline_color" value="107,117,128,255" />
      <Option type="QString" name="outline_width" value="0.48" />
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
   <text-style fieldName="regexp_substr(represent_value(&quot;class_code&quot;), '^(\\S+)')" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
    <families>
     <family name="Noto Sans CJK SC" />
     <family name="Microsoft YaHei" />
     <family name="WenQuanYi Micro Hei" />
    </families>
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <placement placement="6" placementFlags="10" dist="1" distUnits="MM" polygonPlacementFlags="2" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="10000" obstacle="1" drawLabels="1" />
  </settings>
 </labeling>
 <fieldConfiguration>
  <field name="class_code" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="围垦湖泊 lake reclaimed" value="occupation.reclaim_lake" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="未依法经省级以上人民政府批准围垦河道 river reclaimed without approval" value="occupation.reclaim_river" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="占用水域、滩地 use of water or beach" value="occupation.water_or_beach" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="种植阻碍行洪的林木及高秆作物 trees and tall crops in the flood way" value="occupation.tall_plants" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="网箱、网围等水面占用 net pens and other use of the water surface" value="occupation.net_pen" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="拦河养鱼、拦河渔具 fish kept or caught behind a barrier across the channel" value="occupation.fish_barrier" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="滩地鱼塘等养殖 fish ponds and other aquaculture on the beach" value="occupation.aquaculture" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="滩地大棚 greenhouse on the beach" value="occupation.greenhouse" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="滩地存放物料 material stored on the beach" value="occupation.material_yard" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="消落带、岸坡开垦种植 planting in the drawdown belt or on the bank slope" value="occupation.drawdown_planting" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="填堵、占用河道 channel filled in or narrowed" value="occupation.fill_channel" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="改变水系、河道改为暗渠 water system changed or river put into a culvert" value="occupation.change_course" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="开发利用沙洲 bar in the river developed" value="occupation.bar_development" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="乱占(子类待定) occupation, sub-type to be told" value="occupation.other" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="未见许可的采砂、取土 extraction without a known permit" value="extraction.no_permit" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="不按许可要求采砂 extraction off the permit" value="extraction.off_permit" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="在禁采区、禁采期采砂 extraction in a forbidden area or period" value="extraction.forbidden_area_or_time" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="未见批准的取土 soil taken without a known approval" value="extraction.soil" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="乱采(子类待定) extraction, sub-type to be told" value="extraction.other" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="乱扔乱堆垃圾 rubbish" value="dumping.rubbish" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="倾倒、填埋、贮存、堆放固体废物 solid waste" value="dumping.solid_waste" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="弃置、堆放阻碍行洪的物体 objects that obstruct floods" value="dumping.obstacle" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="弃置砂石或者淤泥 sand, stone or silt left in the channel" value="dumping.silt" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="水面漂浮物、水生植物 floating matter and water plants" value="dumping.floating" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="乱堆(子类待定) dumping, sub-type to be told" value="dumping.other" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="水域岸线占而不用、多占少用、滥占滥用 shoreline held unused or misused" value="building.shoreline_misuse" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="未见许可或与许可不符的涉河建设项目 works without or off a known permit" value="building.no_or_off_permit" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="河道管理范围内的建筑物、构筑物 building or structure in the management area" value="building.obstacle" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="岸线位置改变 shoreline moved" value="building.shoreline_shift" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="围堤、阻水渠道、阻水道路 dyke, canal or road that holds back floods" value="building.dyke" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="拦河坝、过水路面等拦河建筑物 weir, low dam or ford across the channel" value="building.barrage" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="道路施工占用河道 road works in the channel" value="building.road_works" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="水利工程 water works" value="building.water_works" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="光伏、风电设施 photovoltaic or wind power plant" value="building.solar_wind" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="化工园区、化工项目 chemical park or project" value="building.chemical" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="尾矿库 tailings pond" value="building.tailings" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="乱建(子类待定) building, sub-type to be told" value="building.other" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="类别待定 class to be told" value="other.unknown" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="行洪障碍物 obstacle in the flood way" value="other.obstacle" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="砍伐护堤护岸林木、河岸植被 trees and plants of levee or bank cut" value="other.bank_trees" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="未见许可的取水 water taken without a known permit" value="other.water_taking" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="捕捞 fishing" value="other.fishing" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="饮用水水源保护区内排污口 outfall inside a drinking-water source zone" value="outfall.in_zone" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="排污口位置待核 position of an outfall to be checked" value="outfall.position" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="污水排入河道待核 sewage into the river to be checked" value="outfall.discharge" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="界线待核 boundary line to be checked" value="boundary.line_check" />
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
