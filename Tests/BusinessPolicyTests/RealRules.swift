/// Rules as real VCOs hold them, of three releases and of a client that writes little. Names and ids are neutral.
enum RealRules {
    static let release4 = #"""
        {"name":"Prefer GE3","match":{"appid":-1,"classid":-1,"dscp":-1,"sip":"any","sport_high":-1,
        "sport_low":-1,"ssm":"255.255.255.255","svlan":-1,"os_version":-1,"hostname":"","dip":"any",
        "dport_low":-1,"dport_high":-1,"dsm":"255.255.255.255","dvlan":-1,"proto":-1,"s_rule_type":"prefix",
        "d_rule_type":"prefix"},"action":{"routeType":"edge2Any","allowConditionalBh":false,
        "userDisableConditionalBh":false,"edge2EdgeRouteAction":{"interface":"GE3","subinterfaceId":-1,
        "linkInternalLogicalId":"auto","linkPolicy":"fixed","routeCfg":{},"routePolicy":"gateway",
        "serviceGroup":"ALL","vlanId":-1,"wanlink":"GE3","linkCosLogicalId":null,"linkOuterDscpTag":"CS0",
        "linkInnerDscpTag":null},"edge2DataCenterRouteAction":{"interface":"GE3","subinterfaceId":-1,
        "linkInternalLogicalId":"auto","linkPolicy":"fixed","routeCfg":{},"routePolicy":"auto",
        "serviceGroup":"ALL","vlanId":-1,"wanlink":"GE3","linkCosLogicalId":null,"linkOuterDscpTag":"CS0",
        "linkInnerDscpTag":null},"edge2CloudRouteAction":{"interface":"GE3","subinterfaceId":-1,
        "linkInternalLogicalId":"auto","linkPolicy":"fixed","routeCfg":{},"routePolicy":"gateway",
        "serviceGroup":"ALL","vlanId":-1,"wanlink":"GE3","linkCosLogicalId":null,"linkOuterDscpTag":"CS0",
        "linkInnerDscpTag":null},"QoS":{"type":"transactional","rxScheduler":{"bandwidth":-1,
        "bandwidthCapPct":-1,"queueLen":-1,"burst":-1,"latency":-1,"priority":"normal"},
        "txScheduler":{"bandwidth":-1,"bandwidthCapPct":-1,"queueLen":-1,"burst":-1,"latency":-1,
        "priority":"normal"}},"sla":{"latencyMs":"0","lossPct":"0.0","jitterMs":"0"},"nat":{"sourceIp":"no",
        "destIp":"no"}},"ruleLogicalId":"aaaaaaaa-0001-4000-8000-000000000001"}
        """#

    static let release5 = #"""
        {"name":"Route ICMP Traffic to WAN Link","match":{"appid":70,"classid":-1,"dscp":-1,"sip":"any",
        "sport_high":-1,"sport_low":-1,"ssm":"255.255.255.255","svlan":-1,"os_version":-1,"hostname":"",
        "dip":"any","ipVersion":"IPv4","dport_low":-1,"dport_high":-1,"dsm":"255.255.255.255","dvlan":-1,
        "dInterface":"","proto":-1,"s_rule_type":"prefix","d_rule_type":"prefix","sInterface":""},
        "action":{"routeType":"edge2Any","userDisableConditionalBh":false,
        "edge2EdgeRouteAction":{"interface":"auto","subinterfaceId":-1,
        "linkInternalLogicalId":"aaaaaaaa-0009-4000-8000-00000000beef","linkPolicy":"fixed","routeCfg":{},
        "routePolicy":"direct","serviceGroup":"ALL","vlanId":-1,"wanlink":"auto","linkCosLogicalId":null,
        "linkOuterDscpTag":null,"linkInnerDscpTag":null},"edge2DataCenterRouteAction":{"interface":"auto",
        "subinterfaceId":-1,"linkInternalLogicalId":"aaaaaaaa-0009-4000-8000-00000000beef","linkPolicy":"fixed",
        "routeCfg":{},"routePolicy":"auto","serviceGroup":"ALL","vlanId":-1,"wanlink":"auto",
        "linkCosLogicalId":null,"linkOuterDscpTag":null,"linkInnerDscpTag":null},
        "edge2CloudRouteAction":{"interface":"auto","subinterfaceId":-1,
        "linkInternalLogicalId":"aaaaaaaa-0009-4000-8000-00000000beef","linkPolicy":"fixed","routeCfg":{},
        "routePolicy":"direct","serviceGroup":"ALL","vlanId":-1,"wanlink":"auto","linkCosLogicalId":null,
        "linkOuterDscpTag":null,"linkInnerDscpTag":null},"QoS":{"type":"transactional",
        "rxScheduler":{"bandwidth":-1,"bandwidthCapPct":-1,"queueLen":-1,"burst":-1,"latency":-1,
        "priority":"normal"},"txScheduler":{"bandwidth":-1,"bandwidthCapPct":-1,"queueLen":-1,"burst":-1,
        "latency":-1,"priority":"normal"}},"nat":{"sourceIp":"no","destIp":"no"},"natIpVersion":null,
        "natV6":{"sourceIp":"no","destIp":"no"},"sla":{"latencyMs":"0","lossPct":"0.0","jitterMs":"0"}},
        "ruleLogicalId":"aaaaaaaa-0002-4000-8000-000000000002"}
        """#

    static let release6 = #"""
        {"name":"Group based bypass","match":{"sip":"any","sport_high":-1,"sport_low":-1,
        "ssm":"255.255.255.255","svlan":-1,"sInterface":"","os_version":-1,"s_rule_type":"prefix",
        "sip_prenat_enabled":0,"dip":"any","dport_high":-1,"dport_low":-1,
        "dAddressGroup":"aaaaaaaa-00a6-4000-8000-0000000000a1",
        "dPortGroup":"aaaaaaaa-00b6-4000-8000-0000000000b1","dsm":"255.255.255.255","dvlan":-1,"dInterface":"",
        "hostname":"","proto":-1,"d_rule_type":"prefix","dip_prenat_enabled":0,"appid":-1,"classid":-1,
        "dscp":-1,"ipVersion":"IPv4"},"action":{"QoS":{"type":"transactional","rxScheduler":{"bandwidth":-1,
        "bandwidthCapPct":-1,"queueLen":-1,"burst":-1,"latency":-1,"priority":"normal"},
        "txScheduler":{"bandwidth":-1,"bandwidthCapPct":-1,"queueLen":-1,"burst":-1,"latency":-1,
        "priority":"normal"}},"sla":{"latencyMs":"0","lossPct":"0.0","jitterMs":"0"},
        "edge2CloudRouteAction":{"interface":"auto","subinterfaceId":-1,"linkInternalLogicalId":"auto",
        "linkPolicy":"available","routeCfg":{},"routePolicy":"direct","serviceGroup":"PUBLIC_WIRED","vlanId":-1,
        "wanlink":"auto","linkCosLogicalId":null,"linkOuterDscpTag":null,"linkInnerDscpTag":null,
        "icmpLogicalId":null,"wanLinkName":""},"edge2DataCenterRouteAction":{"interface":"auto",
        "subinterfaceId":-1,"linkInternalLogicalId":"auto","linkPolicy":"available","routeCfg":{},
        "routePolicy":"auto","serviceGroup":"PUBLIC_WIRED","vlanId":-1,"wanlink":"auto","linkCosLogicalId":null,
        "linkOuterDscpTag":null,"linkInnerDscpTag":null,"icmpLogicalId":null,"wanLinkName":""},
        "edge2EdgeRouteAction":{"interface":"auto","subinterfaceId":-1,"linkInternalLogicalId":"auto",
        "linkPolicy":"available","routeCfg":{},"routePolicy":"auto","serviceGroup":"PUBLIC_WIRED","vlanId":-1,
        "wanlink":"auto","linkCosLogicalId":null,"linkOuterDscpTag":null,"linkInnerDscpTag":null,
        "icmpLogicalId":null,"wanLinkName":""},"routeType":"edge2Any","natIpVersion":null,"nat":{"destIp":"no",
        "sourceIp":"no"},"allowConditionalBh":false,"userDisableConditionalBh":false},"ruleLogicalId":null}
        """#

    static let minimal = #"""
        {"name":"VLAN-10","match":{"appid":-1,"classid":-1,"dip":"any","dsm":"any","proto":-1,"sip":"any",
        "ssm":"any","os_version":-1,"sport_low":-1,"sport_high":-1,"dport_low":-1,"dport_high":-1,"dscp":-1,
        "svlan":10,"hostname":"","dvlan":-1,"ipVersion":"IPv4v6","sipV6":"any","dipV6":"any"},
        "action":{"routePolicy":"auto","routeType":"edge2Any","QoS":{"type":"bulk",
        "rxScheduler":{"bandwidth":-1,"bandwidthCapPct":-1,"queueLen":-1,"burst":-1,"latency":-1,
        "priority":"low"},"txScheduler":{"bandwidth":-1,"bandwidthCapPct":-1,"queueLen":-1,"burst":-1,
        "latency":-1,"priority":"low"}},"edge2EdgeRouteAction":{"interface":"auto",
        "linkInternalLogicalId":"auto","linkPolicy":"auto","routeCfg":{},"routePolicy":"gateway",
        "serviceGroup":"ALL","vlanId":-1,"wanlink":"auto"},"edge2DataCenterRouteAction":{"interface":"auto",
        "linkInternalLogicalId":"auto","linkPolicy":"auto","routeCfg":{},"routePolicy":"gateway",
        "serviceGroup":"ALL","vlanId":-1,"wanlink":"auto"},"edge2CloudRouteAction":{"interface":"auto",
        "linkInternalLogicalId":"auto","linkPolicy":"auto","routeCfg":{},"routePolicy":"direct",
        "serviceGroup":"ALL","vlanId":-1,"wanlink":"auto"}}}
        """#

    static let all = [release4, release5, release6, minimal]
}
