#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The system's random numbers, which nobody can guess, fetched 32 at a time: an order takes five, and a system call for
/// each costs more than writing its JSON.
///
/// A copy would give out the same numbers again, so it has one owner and is not public.
struct BufferedSystemRandom: RandomNumberGenerator, Sendable {
  private var numbers: [UInt64] = []

  /// 256 bytes, the most that `getentropy` gives at once.
  private static let capacity = 32

  mutating func next() -> UInt64 {
    if numbers.isEmpty { refill() }
    return numbers.popLast() ?? SystemRandomNumberGenerator.one()
  }

  /// Leaves `numbers` empty where the system has nothing to give.
  private mutating func refill() {
    numbers = Array(unsafeUninitializedCapacity: Self.capacity) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      guard let start = bytes.baseAddress, getentropy(start, Self.capacity * MemoryLayout<UInt64>.size) == 0
      else { return count = 0 }
      count = Self.capacity
    }
  }
}

extension SystemRandomNumberGenerator {
  fileprivate static func one() -> UInt64 {
    var system = SystemRandomNumberGenerator()
    return system.next()
  }
}
