extension SimulatorControl {
    /// What stands at `/`, and below the program's own help.
    package static var help: String {
        let modes = ModeTable().entries.map { "  \($0.name): \($0.values)\n      \($0.meaning)" }
        return """
            A simulated VeloCloud Orchestrator (VCO), for testing programs that use its v1 API.

            THE VCO
              POST /portal/rest/<method>   REST-like interface: the parameters as a JSON object, the bare result back
              POST /portal/                JSON-RPC 2.0
              Every call needs the header  Authorization: Token <token>
              Methods: system/getVersionInfo, enterprise/getEnterprise, enterprise/getEnterpriseConfigurations,
                enterprise/getEnterpriseConfigurationsPolicies, configuration/getConfiguration,
                configuration/getConfigurationModules, configuration/updateConfigurationModule,
                configuration/insertConfigurationModule, configuration/updateConfiguration,
                configuration/cloneConfiguration, configuration/cloneEnterpriseTemplate,
                configuration/deleteConfiguration

              Try:  curl -s -H 'Authorization: Token t' -d '{"configurationId":101,"modules":["QOS"]}' \\
                      http://<here>/portal/rest/configuration/getConfigurationModules

            CONTROL (no token; JSON in, JSON out)
              GET    /sim/profiles         profiles, segments, names of rules
              GET    /sim/rules            rules in order; ?profile=<id or name>&segment=<name>&name=<name>
              GET    /sim/calls            calls by method, and the latest; ?last=<number>&method=<method>
              DELETE /sim/calls            forget them
              POST   /sim/faults           let coming calls fail; GET shows what waits, DELETE clears it
              POST   /sim/modes            behave in another way; GET shows the modes
              POST   /sim/edit             do something in the portal, behind the client's back
              POST   /sim/reset            everything as it was at the start

            FAULTS  {"fault": <name>, ...}
              names: \(FaultRule.names.joined(separator: ", "))
              "method"       only calls of that method
              "calls"        how many (1); null: until cleared      "for-ms"   for so long
              "skip"         let so many pass first                 "ms"       of latency (1000)
              "message"      of error-object and error-text         "retry-after"   seconds, with 429
              "status", "content-type", "body"                      of reply
              drop-before ends the connection with nothing done, drop-after when the work is done.

              Try:  curl -s -d '{"fault":"drop-after","method":"configuration/updateConfigurationModule"}' \\
                      http://<here>/sim/faults

            MODES  {<name>: <value>, ...}
            \(modes.joined(separator: "\n"))

            EDITS  {"edit": <name>, "profile": <id or name>, "segment": <name> ("Global Segment"), ...}
              set-member      "rule", "path" ("match.hostname"), "value"; without a value the member goes
              add-rule        "rule" (the rule itself), "index" (the end)
              delete-rule     "rule"
              reorder         "rules": names, to be put first in this order
              rename-profile  "to"            delete-profile          create-profile  "name"
              rename-segment  "to"            delete-segment          create-segment  "name", "id"
              replace-data    "data": the whole document
              touch           a new version of the same document
              upgrade         "release" (5.0, 6.x): every rule gets the members that it added
              "quiet": true   the document changes, its version does not
              "before"        a method: the edit is made just before its next call takes effect

              Try:  curl -s -d '{"edit":"delete-rule","profile":101,"rule":"sample-app"}' http://<here>/sim/edit

            """
    }
}
