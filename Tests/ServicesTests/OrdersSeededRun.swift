import TestSupport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Random tests of the orders: a new seed each run, printed; `ORDERS_SEED` runs one again.
enum SeededRun {
  static func generator(_ name: String = #function) -> SeededGenerator {
    let given = getenv("ORDERS_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("\(name): ORDERS_SEED=\(seed)")
    return SeededGenerator(seed: seed)
  }
}
