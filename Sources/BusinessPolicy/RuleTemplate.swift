/// The built-in template: an "any" rule as a 5.x VCO makes it.
///
/// Used only where a segment has no `Default-Any-Other` of its own: that one knows the members of its VCO, this one
/// cannot. Multi-Path to edges and cloud, as the portal's own default has it.
package let builtInTemplate: JSON = [
    "name": "Default-Any-Other",
    "match": [
        "appid": -1, "classid": -1, "dscp": -1,
        "sip": "any", "sport_high": -1, "sport_low": -1, "ssm": "255.255.255.255", "svlan": -1, "sInterface": "",
        "os_version": -1, "hostname": "",
        "dip": "any", "dport_low": -1, "dport_high": -1, "dsm": "255.255.255.255", "dvlan": -1, "dInterface": "",
        "proto": -1, "s_rule_type": "prefix", "d_rule_type": "prefix",
        "ipVersion": "IPv4v6", "sipV6": "any", "dipV6": "any",
    ],
    "action": [
        "routeType": "edge2Any",
        "allowConditionalBh": false,
        "userDisableConditionalBh": false,
        "edge2EdgeRouteAction": builtInRouteAction(policy: "gateway"),
        "edge2DataCenterRouteAction": builtInRouteAction(policy: "auto"),
        "edge2CloudRouteAction": builtInRouteAction(policy: "gateway"),
        "QoS": [
            "type": "transactional", "rxScheduler": builtInScheduler, "txScheduler": builtInScheduler,
        ],
        "sla": ["latencyMs": "0", "lossPct": "0.0", "jitterMs": "0"],
        "nat": ["sourceIp": "no", "destIp": "no"],
        "natIpVersion": .null,
        "natV6": ["sourceIp": "no", "destIp": "no"],
    ],
]

private let builtInScheduler: JSON = [
    "bandwidth": -1, "bandwidthCapPct": -1, "queueLen": -1, "burst": -1, "latency": -1, "priority": "normal",
]

private func builtInRouteAction(policy: JSON) -> JSON {
    [
        "interface": "auto", "subinterfaceId": -1, "linkInternalLogicalId": "auto", "linkPolicy": "auto",
        "routeCfg": [:], "routePolicy": policy, "serviceGroup": "ALL", "vlanId": -1, "wanlink": "auto",
        "linkCosLogicalId": .null, "linkOuterDscpTag": .null, "linkInnerDscpTag": .null,
    ]
}
