extension UnsafeBufferPointer<UInt8> {
  /// Whether both hold the same bytes. Compares eight at a time, the last eight once more where they overlap:
  /// `elementsEqual` was a sixth of an event's decoding (callgrind).
  package func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard count == other.count else { return false }
    guard count >= 8 else { return zip(self, other).allSatisfy(==) }
    for start in stride(from: 0, to: count - 8, by: 8) where word(at: start) != other.word(at: start) { return false }
    return word(at: count - 8) == other.word(at: count - 8)
  }

  private func word(at start: Int) -> UInt64 {
    UnsafeRawBufferPointer(self).loadUnaligned(fromByteOffset: start, as: UInt64.self)
  }
}
