/// Counts durations in buckets that are never wider than a thousandth of what they hold, from a microsecond up to ever,
/// as HdrHistogram does with three digits: percentiles of millions of values in some kilobytes.
///
/// Up to 2,047 µs a bucket is one microsecond wide; from there on each doubling has 1,024 buckets.
struct LatencyHistogram: Sendable, Hashable {
  private static let subBucketBits = 11
  private static let subBuckets = 1 << subBucketBits

  private var counts: [UInt64] = []
  private(set) var count: UInt64 = 0
  /// The exact extremes; zero while nothing is counted.
  private(set) var minimum = Duration.zero
  private(set) var maximum = Duration.zero

  /// Fractions of a microsecond are dropped; a negative duration, as two clocks may give, counts as zero.
  mutating func record(_ duration: Duration) {
    let duration = max(duration, .zero)
    let bucket = Self.bucket(of: duration.wholeMicroseconds)
    if bucket >= counts.count { counts += Array(repeating: 0, count: bucket + 1 - counts.count) }
    counts[bucket] += 1
    minimum = count == 0 ? duration : min(minimum, duration)
    maximum = max(maximum, duration)
    count += 1
  }

  mutating func merge(_ other: LatencyHistogram) {
    guard other.count > 0 else { return }
    if other.counts.count > counts.count {
      counts += Array(repeating: 0, count: other.counts.count - counts.count)
    }
    for (bucket, number) in other.counts.enumerated() { counts[bucket] += number }
    minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    count += other.count
  }

  /// The smallest value that at least `fraction` of all values do not exceed, to a thousandth; never above the maximum.
  ///
  /// - Parameter fraction: 0 to 1; 0.99 for p99.
  func percentile(_ fraction: Double) -> Duration {
    guard count > 0 else { return .zero }
    let rank = min(count, max(1, UInt64((min(max(fraction, 0), 1) * Double(count)).rounded(.up))))
    var seen: UInt64 = 0
    for (bucket, number) in counts.enumerated() {
      seen += number
      if seen >= rank { return min(maximum, .microseconds(Self.highestValue(of: bucket))) }
    }
    return maximum
  }

  static func bucket(of microseconds: UInt64) -> Int {
    let magnitude = max(0, UInt64.bitWidth - microseconds.leadingZeroBitCount - subBucketBits)
    let subBucket = Int(microseconds >> UInt64(magnitude))
    return magnitude * (subBuckets / 2) + subBucket
  }

  /// The largest number of microseconds that falls into `bucket`.
  static func highestValue(of bucket: Int) -> UInt64 {
    guard bucket >= subBuckets else { return UInt64(bucket) }
    let magnitude = bucket / (subBuckets / 2) - 1
    let subBucket = UInt64(bucket - magnitude * (subBuckets / 2))
    return ((subBucket + 1) << UInt64(magnitude)) &- 1
  }
}

extension Duration {
  /// Towards zero; for durations that are not negative.
  fileprivate var wholeMicroseconds: UInt64 {
    let (seconds, attoseconds) = components
    let (whole, overflows) = UInt64(max(seconds, 0)).multipliedReportingOverflow(by: 1_000_000)
    return overflows ? .max : whole + UInt64(max(attoseconds, 0) / 1_000_000_000_000)
  }
}
