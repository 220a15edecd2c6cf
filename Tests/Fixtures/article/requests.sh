# What the operator of the 2020 article asks of a VCO, request for request; sourced, not run. It needs curl and jq, and
# in the environment VCO_URL (with /portal/rest) and VCO_TOKEN.
#
# It reads the profile's modules by name, takes the first segment of the QOS module, copies the rule Default-Any-Other,
# sets its members from the spec, puts it in the place of the rule of that name or at the top, and sends the whole
# document back. A spec that lacks one of its fields ends it.

# article_call METHOD BODY
article_call() {
    curl --silent --show-error --fail --max-time 10 -H 'Content-Type: application/json' \
        -H "Authorization: Token $VCO_TOKEN" "$VCO_URL/$1" -d "$2"
}

# The QOS module of a profile: article_module PROFILE
article_module() {
    local id
    id="$(article_call enterprise/getEnterpriseConfigurationsPolicies '{}' |
        jq --arg profile "$1" '.[] | select(.name == $profile).id')"
    article_call configuration/getConfiguration "{\"id\": $id, \"with\": [\"modules\"]}" |
        jq -c '.modules[] | select(.name == "QOS")'
}

# article_write MODULE FILTER SPEC: sends the module's data back as the filter makes it of the spec.
article_write() {
    local body
    body="$(jq -c --argjson spec "$3" "$2"' | {id, _update: {name: "QOS", data}}' <<<"$1")"
    article_call configuration/updateConfigurationModule "$body" >/dev/null
}

# Makes or changes the rule of a spec: article_set SPEC [MODULE]; the module is read first if it is not given.
article_set() {
    local needed='["profile", "name", "fqdn", "dport", "service-class", "priority", "bandwidth-limit", "link-policy",
        "service-group"]'
    jq -e --argjson needed "$needed" '$needed - keys == []' <<<"$1" >/dev/null || return 1
    article_write "${2:-$(article_module "$(jq -r .profile <<<"$1")")}" '
        ([.data.segments[0].defaults[] | select(.name == "Default-Any-Other")][0]
            | .name = $spec.name
            | .match.hostname = $spec.fqdn | .match.dport_high = $spec.dport | .match.dport_low = $spec.dport
            | .match.proto = 6
            | .action.QoS.type = $spec["service-class"]
            | (.action.QoS.rxScheduler, .action.QoS.txScheduler) |=
                (.priority = $spec.priority | .bandwidthCapPct = $spec["bandwidth-limit"])
            | (.action.edge2CloudRouteAction, .action.edge2DataCenterRouteAction, .action.edge2EdgeRouteAction) |=
                (.linkPolicy = $spec["link-policy"] | .serviceGroup = $spec["service-group"])) as $rule
        | .data.segments[0].rules |= if any(.name == $spec.name)
            then map(if .name == $spec.name then $rule else . end)
            else [$rule] + . end' "$1"
}

# Takes the rule of a spec away: article_delete SPEC
article_delete() {
    article_write "$(article_module "$(jq -r .profile <<<"$1")")" \
        '.data.segments[0].rules |= map(select(.name != $spec.name))' "$1"
}
