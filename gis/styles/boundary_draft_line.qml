<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="0">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="RuleRenderer" symbollevels="0" forceraster="0" enableorderby="0">
  <rules key="{boundary_draft_line}">
   <rule key="{boundary_draft_line.0}" symbol="0" filter="state &lt;&gt; 'draft'" label="已送审或已公告(不可编辑) submitted or announced: not edited" />
   <rule key="{boundary_draft_line.1}" symbol="1" filter="hand_edited" label="人工修改 edited by hand" />
   <rule key="{boundary_draft_line.2}" symbol="2" filter="&quot;drawn_by&quot; = 'announced'" label="沿用已公告界线 taken over from a line in force" />
   <rule key="{boundary_draft_line.3}" symbol="3" filter="&quot;drawn_by&quot; = 'levee_toe'" label="堤脚线外护堤地 levee toe and berm" />
   <rule key="{boundary_draft_line.4}" symbol="4" filter="&quot;drawn_by&quot; = 'levee_gap'" label="堤防缺口平顺连接 gap in a levee" />
   <rule key="{boundary_draft_line.5}" symbol="5" filter="&quot;drawn_by&quot; = 'flood_wall'" label="防洪墙虚拟堤断面 flood wall" />
   <rule key="{boundary_draft_line.6}" symbol="6" filter="&quot;drawn_by&quot; = 'flood_level'" label="设计洪水位 flood level" />
   <rule key="{boundary_draft_line.7}" symbol="7" filter="&quot;drawn_by&quot; = 'bank_offset'" label="河口线外定距 distance from the bank" />
   <rule key="{boundary_draft_line.8}" symbol="8" filter="&quot;drawn_by&quot; = 'lake'" label="湖泊 lake" />
   <rule key="{boundary_draft_line.9}" symbol="9" filter="&quot;drawn_by&quot; = 'reservoir'" label="水库 reservoir" />
   <rule key="{boundary_draft_line.10}" symbol="10" filter="&quot;drawn_by&quot; = 'spoil'" label="弃土区 spoil" />
   <rule key="{boundary_draft_line.11}" symbol="11" filter="&quot;drawn_by&quot; = 'land_acquisition'" label="征地线 land acquisition line" />
   <rule key="{boundary_draft_line.12}" symbol="12" filter="&quot;drawn_by&quot; = 'surrogate'" label="替代边界 surrogate" />
   <rule key="{boundary_draft_line.13}" symbol="13" filter="&quot;drawn_by&quot; = 'county_border'" label="行政区界 county border" />
   <rule key="{boundary_draft_line.14}" symbol="14" filter="&quot;drawn_by&quot; = 'confluence'" label="汇口 confluence" />
   <rule key="{boundary_draft_line.15}" symbol="15" filter="&quot;drawn_by&quot; = 'road'" label="道路 road" />
   <rule key="{boundary_draft_line.16}" symbol="16" filter="&quot;drawn_by&quot; = 'hand'" label="手工绘制 by hand" />
  </rules>
  <symbols>
   <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="138,148,154,102" />
      <Option type="QString" name="line_width" value="1.85" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="255,211,77,153" />
      <Option type="QString" name="line_width" value="1.59" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="2" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="179,40,79,255" />
      <Option type="QString" name="line_width" value="0.42" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="3" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="181,71,31,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="4" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="181,71,31,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="0.53;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="5" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="122,59,30,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.06;0.53;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="6" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="31,111,176,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="7" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="42,143,134,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="8" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="63,134,199,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="1.59;0.79" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="9" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="59,75,148,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="1.59;0.79" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="10" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="138,106,58,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="1.59;0.79" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="11" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="109,90,156,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="1.59;0.79" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="12" alpha="1" clip_to_extent="1" force_rhr="0">
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
   <symbol type="line" name="13" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="107,107,96,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.65;0.79;0.53;0.79" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="14" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="47,127,79,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="0.53;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="15" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="91,91,91,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
   <symbol type="line" name="16" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" pass="0" locked="0">
     <Option type="Map">
      <Option type="QString" name="line_color" value="208,51,138,255" />
      <Option type="QString" name="line_width" value="0.53" />
      <Option type="QString" name="line_width_unit" value="MM" />
      <Option type="QString" name="capstyle" value="round" />
      <Option type="QString" name="joinstyle" value="round" />
      <Option type="QString" name="use_custom_dash" value="1" />
      <Option type="QString" name="customdash" value="2.12;1.06" />
      <Option type="QString" name="customdash_unit" value="MM" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="concat('草案 ', &quot;river_name&quot;, ' ', if(&quot;bank&quot; = 'left', '左岸', '右岸'), ' ', floor(&quot;from_m&quot; / 1000), '+', lpad(to_string(floor(&quot;from_m&quot; % 1000)), 3, '0'), '–', floor(&quot;to_m&quot; / 1000), '+', lpad(to_string(floor(&quot;to_m&quot; % 1000)), 3, '0'))" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="40,40,40,255" textOpacity="1" namedStyle="Regular" fontWeight="50" multilineHeight="1">
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
  <field name="draft_code" configurationFlags="None">
   <editWidget type="ValueRelation">
    <config>
     <Option type="Map">
      <Option type="QString" name="Layer" value="rivergis_boundary_draft" />
      <Option type="QString" name="Key" value="code" />
      <Option type="QString" name="Value" value="title" />
      <Option type="bool" name="AllowNull" value="true" />
      <Option type="bool" name="OrderByValue" value="true" />
      <Option type="bool" name="UseCompleter" value="true" />
      <Option type="QString" name="FilterExpression" value="&quot;state&quot; = 'draft'" />
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
        <Option type="QString" name="自动判定 measured" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="左岸 left bank" value="left" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="右岸 right bank" value="right" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reach_code" configurationFlags="None">
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
  <field name="length_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="drawn_by" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option type="List" name="map">
       <Option type="Map">
        <Option type="QString" name="堤脚线外护堤地 levee toe and berm" value="levee_toe" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="堤防缺口平顺连接 gap in a levee" value="levee_gap" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="防洪墙虚拟堤断面 flood wall" value="flood_wall" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="设计洪水位 flood level" value="flood_level" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="河口线外定距 distance from the bank" value="bank_offset" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="湖泊 lake" value="lake" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="水库 reservoir" value="reservoir" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="弃土区 spoil" value="spoil" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="征地线 land acquisition line" value="land_acquisition" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="替代边界 surrogate" value="surrogate" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="行政区界 county border" value="county_border" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="汇口 confluence" value="confluence" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="道路 road" value="road" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="沿用已公告界线 taken over from a line in force" value="announced" />
       </Option>
       <Option type="Map">
        <Option type="QString" name="手工绘制 by hand" value="hand" />
       </Option>
      </Option>
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
  <field name="basis_text" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="flood_level_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="tolerance_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="hand_edited" configurationFlags="None">
   <editWidget type="CheckBox">
    <config>
     <Option type="Map">
      <Option type="QString" name="CheckedState" value="" />
      <Option type="QString" name="UncheckedState" value="" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="note" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="true" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="change_reason" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
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
  <field name="draft_revision" configurationFlags="None">
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
 </fieldConfiguration>
 <aliases>
  <alias field="draft_code" index="0" name="草案 draft" />
  <alias field="river_id" index="1" name="河流 river" />
  <alias field="bank" index="2" name="岸别 bank" />
  <alias field="reach_code" index="3" name="河段编码 reach" />
  <alias field="from_m" index="4" name="起点桩号(米) from, m" />
  <alias field="to_m" index="5" name="终点桩号(米) to, m" />
  <alias field="length_m" index="6" name="长度(米) length, m" />
  <alias field="drawn_by" index="7" name="划定方法 drawn by" />
  <alias field="basis" index="8" name="成果性质 basis" />
  <alias field="basis_text" index="9" name="依据 what it rests on" />
  <alias field="flood_level_m" index="10" name="洪水位(米) flood level, m" />
  <alias field="tolerance_m" index="11" name="容差(米) tolerance, m" />
  <alias field="hand_edited" index="12" name="人工修改 edited by hand" />
  <alias field="note" index="13" name="备注 note" />
  <alias field="change_reason" index="14" name="本次修改理由 why" />
  <alias field="code" index="15" name="编号 code" />
  <alias field="state" index="16" name="状态 state" />
  <alias field="revision" index="17" name="修订号 revision" />
  <alias field="draft_revision" index="18" name="草案修订号 revision of the draft" />
  <alias field="changed_by" index="19" name="修改人 changed by" />
  <alias field="changed_at" index="20" name="修改时间 changed at" />
 </aliases>
 <defaults>
  <default field="draft_code" expression="nullif(@rivergis_draft, '')" applyOnUpdate="0" />
  <default field="drawn_by" expression="'hand'" applyOnUpdate="0" />
  <default field="edition" expression="&quot;saved_edition&quot; + 1" applyOnUpdate="1" />
 </defaults>
 <constraints>
  <constraint field="draft_code" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="river_id" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reach_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="length_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="drawn_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="basis" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="basis_text" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="flood_level_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="tolerance_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="hand_edited" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="note" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="change_reason" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="state" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="revision" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="draft_revision" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="changed_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="changed_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="draft_code" hidden="0" width="-1" />
   <column type="field" name="river_id" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="reach_code" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
   <column type="field" name="length_m" hidden="0" width="-1" />
   <column type="field" name="drawn_by" hidden="0" width="-1" />
   <column type="field" name="basis" hidden="0" width="-1" />
   <column type="field" name="basis_text" hidden="0" width="-1" />
   <column type="field" name="flood_level_m" hidden="0" width="-1" />
   <column type="field" name="tolerance_m" hidden="0" width="-1" />
   <column type="field" name="hand_edited" hidden="0" width="-1" />
   <column type="field" name="note" hidden="0" width="-1" />
   <column type="field" name="change_reason" hidden="0" width="-1" />
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="state" hidden="0" width="-1" />
   <column type="field" name="revision" hidden="0" width="-1" />
   <column type="field" name="draft_revision" hidden="0" width="-1" />
   <column type="field" name="changed_by" hidden="0" width="-1" />
   <column type="field" name="changed_at" hidden="0" width="-1" />
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
  <attributeEditorContainer name="位置 place" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="draft_code" index="0" showLabel="1" />
   <attributeEditorField name="river_id" index="1" showLabel="1" />
   <attributeEditorField name="bank" index="2" showLabel="1" />
   <attributeEditorField name="reach_code" index="3" showLabel="1" />
   <attributeEditorField name="from_m" index="4" showLabel="1" />
   <attributeEditorField name="to_m" index="5" showLabel="1" />
   <attributeEditorField name="length_m" index="6" showLabel="1" />
  </attributeEditorContainer>
  <attributeEditorContainer name="依据 basis" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="drawn_by" index="7" showLabel="1" />
   <attributeEditorField name="basis" index="8" showLabel="1" />
   <attributeEditorField name="basis_text" index="9" showLabel="1" />
   <attributeEditorField name="flood_level_m" index="10" showLabel="1" />
   <attributeEditorField name="tolerance_m" index="11" showLabel="1" />
   <attributeEditorField name="hand_edited" index="12" showLabel="1" />
   <attributeEditorField name="note" index="13" showLabel="1" />
  </attributeEditorContainer>
  <attributeEditorContainer name="修改 save" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="change_reason" index="14" showLabel="1" />
   <attributeEditorField name="code" index="15" showLabel="1" />
   <attributeEditorField name="state" index="16" showLabel="1" />
   <attributeEditorField name="revision" index="17" showLabel="1" />
   <attributeEditorField name="draft_revision" index="18" showLabel="1" />
   <attributeEditorField name="changed_by" index="19" showLabel="1" />
   <attributeEditorField name="changed_at" index="20" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="draft_code" editable="1" />
  <field name="river_id" editable="1" />
  <field name="bank" editable="1" />
  <field name="reach_code" editable="1" />
  <field name="from_m" editable="1" />
  <field name="to_m" editable="1" />
  <field name="length_m" editable="0" />
  <field name="drawn_by" editable="1" />
  <field name="basis" editable="0" />
  <field name="basis_text" editable="0" />
  <field name="flood_level_m" editable="1" />
  <field name="tolerance_m" editable="1" />
  <field name="hand_edited" editable="1" />
  <field name="note" editable="1" />
  <field name="change_reason" editable="1" />
  <field name="code" editable="1" />
  <field name="state" editable="0" />
  <field name="revision" editable="0" />
  <field name="draft_revision" editable="0" />
  <field name="changed_by" editable="0" />
  <field name="changed_at" editable="0" />
  <field name="segment_id" editable="0" />
  <field name="edition" editable="0" />
 </editable>
 <reuseLastValue>
  <field name="draft_code" reuseLastValue="1" />
  <field name="river_id" reuseLastValue="1" />
 </reuseLastValue>
 <previewExpression>"code"</previewExpression>
</qgis>
