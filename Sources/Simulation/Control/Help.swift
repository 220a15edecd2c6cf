extension SimulatorControl {
    /// What stands at `/`, and below the program's own help.
    package static var help: String {
        let modes = ModeTable().entries.map { "  \($0.name): \($0.values)\n      \($0.meaning)" }
        return """
            A simulated VeloCloud Orchestrator (VCO), to test programs that use its v1 API.

            THE VCO
              POST /portal/rest/<method>   REST-like: parameters as a JSON object,
                                           the bare result back
              POST /portal/                JSON-RPC 2.0
              Every call needs the header  Authorization: Token <token>
              Methods of system/:          getVersionInfo
                of enterprise/:            getEnterprise, getEnterpriseConfigurations,
                                           getEnterpriseConfigurationsPolicies
                of configuration/:         getConfiguration, updateConfiguration,
                                           cloneConfiguration, deleteConfiguration,
                                           cloneEnterpriseTemplate,
                                           getConfigurationModules,
                                           updateConfigurationModule,
                                           insertConfigurationModule

              curl -s -H 'Authorization: Token t' \\
                -d '{"configurationId":101,"modules":["QOS"]}' \\
                http://<here>/portal/rest/configuration/getConfigurationModules

            CONTROL (no token; JSON in, JSON out)
              GET    /sim/profiles   profiles, segments, names of rules
              GET    /sim/rules      rules in order
                                     ?profile=<id or name>&segment=<name>&name=<name>
              GET    /sim/calls      calls by method, and the latest
                                     ?last=<number>&method=<method>
              DELETE /sim/calls      forget them
              POST   /sim/faults     let coming calls fail (GET: what waits)
              DELETE /sim/faults     no more faults
              POST   /sim/modes      behave in another way (GET: the modes)
              POST   /sim/edit       do something in the portal, behind the client's back
              POST   /sim/reset      everything as it was, with the default modes

            FAULTS  {"fault": <name>, ...}
              latency, 429, 500, 503 (HTML), 401, error-object and error-text (with 200),
              rows-0, null, drop-before (connection ends, nothing done), drop-after (it
              ends when the work is done), stale-read, standby, reply
              "method"   only calls of that method
              "calls"    how many (1); null: until cleared
              "for-ms"   for so long                 "skip"   let so many pass first
              "ms"       of latency (1000)           "message"       of an error
              "retry-after"   seconds, with 429
              "status", "content-type", "body"       of reply

              curl -s http://<here>/sim/faults -d '{"fault":"drop-after",
                "method":"configuration/updateConfigurationModule"}'

            MODES  {<name>: <value>, ...}
            \(modes.joined(separator: "\n"))

            EDITS  {"edit": <name>, "profile": <id or name>, "segment": <name>, ...}
              The segment is "Global Segment" unless it is named.
              set-member       "rule", "path" ("match.hostname"), "value"
                               (without a value the member goes)
              add-rule         "rule" (the rule itself), "index" (else the end)
              delete-rule      "rule"
              reorder          "rules": names, to be put first in this order
              rename-profile   "to"          create-profile   "name"
              rename-segment   "to"          create-segment   "name", "id"
              delete-profile                 delete-segment
              replace-data     "data": the whole document
              touch            a new version of the same document
              upgrade          "release" (5.0 or 6.x): every rule gets what it added
              "quiet": true    the document changes, its version does not
              "before"         a method: made just before its next call takes effect

              curl -s http://<here>/sim/edit \\
                -d '{"edit":"delete-rule","profile":101,"rule":"sample-app"}'

            """
    }
}
