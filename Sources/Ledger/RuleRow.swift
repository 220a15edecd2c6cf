import BusinessPolicy

/// A rule as a row of `owned_rule`, there and back.
enum RuleRow {
    /// All but the two large columns that memory does not keep.
    private static let shortColumns = """
        profile_id, segment_id, name, owner_namespace, owner_name, owner_uid, profile_name, segment_name, rule_order, \
        intent, owner_absent, hostname, port_low, port_high, transport, service_class, priority, bandwidth_cap, \
        link_policy, service_group, template, read_back_hint, original
        """

    /// Every rule, as memory keeps it.
    static let selectShort = "SELECT \(shortColumns) FROM owned_rule"

    /// One rule in full.
    static let selectFull = """
        SELECT \(shortColumns), sent, read_back FROM owned_rule WHERE profile_id = ? AND segment_id = ? AND name = ?
        """

    /// Makes or replaces a rule. Memory holds no `sent` and a shortened `read_back`; a rule that was read from there
    /// and comes back must not wipe them: a `sent` of NULL, and a true last parameter, leave what is recorded.
    static let upsert = """
        INSERT INTO owned_rule (\(shortColumns), sent, read_back)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
        ?23, ?24, ?25)
        ON CONFLICT (profile_id, segment_id, name) DO UPDATE SET
            owner_namespace = excluded.owner_namespace, owner_name = excluded.owner_name,
            owner_uid = excluded.owner_uid, profile_name = excluded.profile_name,
            segment_name = excluded.segment_name, rule_order = excluded.rule_order, intent = excluded.intent,
            owner_absent = excluded.owner_absent, hostname = excluded.hostname, port_low = excluded.port_low,
            port_high = excluded.port_high, transport = excluded.transport, service_class = excluded.service_class,
            priority = excluded.priority, bandwidth_cap = excluded.bandwidth_cap, link_policy = excluded.link_policy,
            service_group = excluded.service_group, template = excluded.template,
            read_back_hint = excluded.read_back_hint, original = excluded.original,
            sent = COALESCE(excluded.sent, sent),
            read_back = CASE WHEN ?26 THEN read_back ELSE excluded.read_back END
        """

    static let delete = "DELETE FROM owned_rule WHERE profile_id = ? AND segment_id = ? AND name = ?"

    /// The parameters that name a place.
    static func key(_ place: RulePlace) -> [SQLiteValue] {
        [SQLiteValue(place.profileID), SQLiteValue(place.segmentID), .text(place.name)]
    }

    /// The parameters of `upsert`.
    static func values(_ rule: OwnedRule, templateID: Int?, keepsReadBack: Bool) -> [SQLiteValue] {
        let wanted = rule.wanted
        return key(rule.place) + [
            .text(rule.owner.namespace), .text(rule.owner.name), .text(rule.owner.uid), .text(rule.profileName),
            .text(rule.segmentName), SQLiteValue(rule.order), SQLiteValue(rule.intent?.rawValue),
            SQLiteValue(rule.isOwnerAbsent), SQLiteValue(wanted?.hostname), SQLiteValue(wanted?.portLow),
            SQLiteValue(wanted?.portHigh), SQLiteValue(wanted?.transport.rawValue),
            SQLiteValue(wanted?.serviceClass.rawValue), SQLiteValue(wanted?.priority.rawValue),
            SQLiteValue(wanted?.bandwidthCap), SQLiteValue(wanted?.linkPolicy.rawValue),
            SQLiteValue(wanted?.serviceGroup.rawValue), SQLiteValue(templateID),
            SQLiteValue(rule.short.readBack?.serialized()), SQLiteValue(rule.original?.serialized()),
            SQLiteValue(rule.sent?.serialized()), SQLiteValue(keepsReadBack ? nil : rule.readBack?.serialized()),
            SQLiteValue(keepsReadBack),
        ]
    }

    /// A row of `selectShort`, or the same part of one of `selectFull`.
    static func decode(_ row: Row, templates: TemplateShelf) throws(SQLiteError) -> RuleMirror.Entry {
        let templateID = row.optionalNumber(20)
        let template = templateID.flatMap { templates[$0] }
        guard (template == nil) == (templateID == nil) else {
            throw .damagedValue("a rule names a template that is not there")
        }
        let rule = OwnedRule(
            place: RulePlace(
                profileID: try row.number(0), segmentID: try row.number(1), name: try row.text(2)),
            owner: Owner(namespace: try row.text(3), name: try row.text(4), uid: try row.text(5)),
            profileName: try row.text(6), segmentName: try row.text(7), wanted: try settings(row),
            order: try row.number(8), template: template,
            readBack: try JSON.stored(row.optionalBytes(21)), original: try JSON.stored(row.optionalBytes(22)),
            intent: try row.optionalText(9) == nil ? nil : known(row, 9), isOwnerAbsent: try row.flag(10))
        return RuleMirror.Entry(rule: rule, templateID: templateID)
    }

    /// A row of `selectFull`.
    static func decodeFull(_ row: Row, templates: TemplateShelf) throws(SQLiteError) -> OwnedRule {
        var rule = try decode(row, templates: templates).rule
        rule.sent = try JSON.stored(row.optionalBytes(23))
        rule.readBack = try JSON.stored(row.optionalBytes(24))
        return rule
    }

    private static func settings(_ row: Row) throws(SQLiteError) -> RuleSettings? {
        guard let hostname = row.optionalText(11) else { return nil }
        return RuleSettings(
            hostname: hostname, portLow: try row.number(12), portHigh: try row.number(13),
            transport: try known(row, 14), serviceClass: try known(row, 15), priority: try known(row, 16),
            bandwidthCap: try row.number(17), linkPolicy: try known(row, 18), serviceGroup: try known(row, 19))
    }

    private static func known<Value: RawRepresentable<String>>(
        _ row: Row, _ column: Int32
    ) throws(SQLiteError) -> Value {
        let text = try row.text(column)
        guard let value = Value(rawValue: text) else {
            throw .damagedValue("\(text.debugDescription) is no \(Value.self)")
        }
        return value
    }
}
