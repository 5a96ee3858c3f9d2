<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="0" readOnly="0">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
 </flags>
 <renderer-v2 type="RuleRenderer" symbollevels="0" forceraster="0" enableorderby="0">
  <rules key="{draft_file_line}">
   <rule key="{draft_file_line.0}" symbol="0" filter="hand_edited" label="人工修改 edited by hand" />
   <rule key="{draft_file_line.1}" symbol="1" filter="&quot;drawn_by&quot; = 'locked'" label="已送审或已公告(不可编辑) submitted or announced: not edited" />
   <rule key="{draft_file_line.2}" symbol="2" filter="&quot;drawn_by&quot; = 'announced'" label="沿用已公告界线 taken over from a line in force" />
   <rule key="{draft_file_line.3}" symbol="3" filter="&quot;drawn_by&quot; = 'levee_toe'" label="堤脚线外护堤地 levee toe and berm" />
   <rule key="{draft_file_line.4}" symbol="4" filter="&quot;drawn_by&quot; = 'levee_gap'" label="堤防缺口平顺连接 gap in a levee" />
   <rule key="{draft_file_line.5}" symbol="5" filter="&quot;drawn_by&quot; = 'flood_wall'" label="防洪墙虚拟堤断面 flood wall" />
   <rule key="{draft_file_line.6}" symbol="6" filter="&quot;drawn_by&quot; = 'flood_level'" label="设计洪水位 flood level" />
   <rule key="{draft_file_line.7}" symbol="7" filter="&quot;drawn_by&quot; = 'bank_offset'" label="河口线外定距 distance from the bank" />
   <rule key="{draft_file_line.8}" symbol="8" filter="&quot;drawn_by&quot; = 'lake'" label="湖泊 lake" />
   <rule key="{draft_file_line.9}" symbol="9" filter="&quot;drawn_by&quot; = 'reservoir'" label="水库 reservoir" />
   <rule key="{draft_file_line.10}" symbol="10" filter="&quot;drawn_by&quot; = 'spoil'" label="弃土区 spoil" />
   <rule key="{draft_file_line.11}" symbol="11" filter="&quot;drawn_by&quot; = 'land_acquisition'" label="征地线 land acquisition line" />
   <rule key="{draft_file_line.12}" symbol="12" filter="&quot;drawn_by&quot; = 'surrogate'" label="替代边界 surrogate" />
   <rule key="{draft_file_line.13}" symbol="13" filter="&quot;drawn_by&quot; = 'county_border'" label="行政区界 county border" />
   <rule key="{draft_file_line.14}" symbol="14" filter="&quot;drawn_by&quot; = 'confluence'" label="汇口 confluence" />
   <rule key="{draft_file_line.15}" symbol="15" filter="&quot;drawn_by&quot; = 'road'" label="道路 road" />
   <rule key="{draft_file_line.16}" symbol="16" filter="&quot;drawn_by&quot; = 'hand'" label="手工绘制 by hand" />
  </rules>
  <symbols>
   <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
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
   <symbol type="line" name="1" alpha="1" clip_to_extent="1" force_rhr="0">
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
  <field name="rule" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="source" configurationFlags="None">
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
  <field name="return_period_a" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="vertical_datum" configurationFlags="None">
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
  <field name="band_in_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option type="bool" name="IsMultiline" value="false" />
      <Option type="bool" name="UseHtml" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="band_out_m" configurationFlags="None">
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
 </fieldConfiguration>
 <aliases>
  <alias field="code" index="0" name="编号 code" />
  <alias field="river_code" index="1" name="河流编码 river code" />
  <alias field="reach_code" index="2" name="河段编码 reach" />
  <alias field="bank" index="3" name="岸别 bank" />
  <alias field="from_m" index="4" name="起点桩号(米) from, m" />
  <alias field="to_m" index="5" name="终点桩号(米) to, m" />
  <alias field="line_type" index="6" name="界线类型 line type" />
  <alias field="basis" index="7" name="成果性质 basis" />
  <alias field="drawn_by" index="8" name="划定方法 drawn by" />
  <alias field="rule" index="9" name="规则 rule" />
  <alias field="source" index="10" name="来源 source" />
  <alias field="flood_level_m" index="11" name="洪水位(米) flood level, m" />
  <alias field="return_period_a" index="12" name="重现期(年) return period, years" />
  <alias field="vertical_datum" index="13" name="高程基准 vertical datum" />
  <alias field="tolerance_m" index="14" name="容差(米) tolerance, m" />
  <alias field="band_in_m" index="15" name="误差带向内(米) band inwards, m" />
  <alias field="band_out_m" index="16" name="误差带向外(米) band outwards, m" />
  <alias field="hand_edited" index="17" name="人工修改 edited by hand" />
 </aliases>
 <defaults>
  <default field="drawn_by" expression="'hand'" applyOnUpdate="0" />
  <default field="basis" expression="'draft'" applyOnUpdate="0" />
  <default field="hand_edited" expression="true" applyOnUpdate="1" />
 </defaults>
 <constraints>
  <constraint field="code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="river_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reach_code" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="bank" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="from_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="to_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="line_type" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="basis" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="drawn_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="rule" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="source" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="flood_level_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="return_period_a" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="vertical_datum" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="tolerance_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="band_in_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="band_out_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="hand_edited" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <attributetableconfig actionWidgetStyle="dropDown" sortExpression="" sortOrder="0">
  <columns>
   <column type="field" name="code" hidden="0" width="-1" />
   <column type="field" name="river_code" hidden="0" width="-1" />
   <column type="field" name="reach_code" hidden="0" width="-1" />
   <column type="field" name="bank" hidden="0" width="-1" />
   <column type="field" name="from_m" hidden="0" width="-1" />
   <column type="field" name="to_m" hidden="0" width="-1" />
   <column type="field" name="line_type" hidden="0" width="-1" />
   <column type="field" name="basis" hidden="0" width="-1" />
   <column type="field" name="drawn_by" hidden="0" width="-1" />
   <column type="field" name="rule" hidden="0" width="-1" />
   <column type="field" name="source" hidden="0" width="-1" />
   <column type="field" name="flood_level_m" hidden="0" width="-1" />
   <column type="field" name="return_period_a" hidden="0" width="-1" />
   <column type="field" name="vertical_datum" hidden="0" width="-1" />
   <column type="field" name="tolerance_m" hidden="0" width="-1" />
   <column type="field" name="band_in_m" hidden="0" width="-1" />
   <column type="field" name="band_out_m" hidden="0" width="-1" />
   <column type="field" name="hand_edited" hidden="0" width="-1" />
   <column type="field" name="id" hidden="1" width="-1" />
   <column type="field" name="version" hidden="1" width="-1" />
   <column type="field" name="code_namespace" hidden="1" width="-1" />
   <column type="field" name="valid" hidden="1" width="-1" />
   <column type="field" name="recorded_at" hidden="1" width="-1" />
   <column type="field" name="superseded_at" hidden="1" width="-1" />
   <column type="field" name="actor" hidden="1" width="-1" />
   <column type="field" name="import_id" hidden="1" width="-1" />
   <column type="field" name="source_feature" hidden="1" width="-1" />
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
  <attributeEditorContainer name="位置 place" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="code" index="0" showLabel="1" />
   <attributeEditorField name="river_code" index="1" showLabel="1" />
   <attributeEditorField name="reach_code" index="2" showLabel="1" />
   <attributeEditorField name="bank" index="3" showLabel="1" />
   <attributeEditorField name="from_m" index="4" showLabel="1" />
   <attributeEditorField name="to_m" index="5" showLabel="1" />
  </attributeEditorContainer>
  <attributeEditorContainer name="依据 basis" groupBox="0" showLabel="1" columnCount="1" visibilityExpressionEnabled="0" visibilityExpression="">
   <attributeEditorField name="line_type" index="6" showLabel="1" />
   <attributeEditorField name="basis" index="7" showLabel="1" />
   <attributeEditorField name="drawn_by" index="8" showLabel="1" />
   <attributeEditorField name="rule" index="9" showLabel="1" />
   <attributeEditorField name="source" index="10" showLabel="1" />
   <attributeEditorField name="flood_level_m" index="11" showLabel="1" />
   <attributeEditorField name="return_period_a" index="12" showLabel="1" />
   <attributeEditorField name="vertical_datum" index="13" showLabel="1" />
   <attributeEditorField name="tolerance_m" index="14" showLabel="1" />
   <attributeEditorField name="band_in_m" index="15" showLabel="1" />
   <attributeEditorField name="band_out_m" index="16" showLabel="1" />
   <attributeEditorField name="hand_edited" index="17" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <editable>
  <field name="code" editable="1" />
  <field name="river_code" editable="1" />
  <field name="reach_code" editable="1" />
  <field name="bank" editable="1" />
  <field name="from_m" editable="1" />
  <field name="to_m" editable="1" />
  <field name="line_type" editable="1" />
  <field name="basis" editable="0" />
  <field name="drawn_by" editable="1" />
  <field name="rule" editable="0" />
  <field name="source" editable="0" />
  <field name="flood_level_m" editable="1" />
  <field name="return_period_a" editable="1" />
  <field name="vertical_datum" editable="1" />
  <field name="tolerance_m" editable="1" />
  <field name="band_in_m" editable="0" />
  <field name="band_out_m" editable="0" />
  <field name="hand_edited" editable="1" />
 </editable>
 <previewExpression>"code"</previewExpression>
</qgis>
