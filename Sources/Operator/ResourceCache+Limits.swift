import BusinessPolicy

extension ResourceCache {
    func limits(in namespace: String) -> [VelocloudLimit] { [] }
    func resources(in namespace: String) -> [VelocloudBP] { [] }
}
