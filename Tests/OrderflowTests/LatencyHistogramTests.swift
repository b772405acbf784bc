import Messaging
import Testing

@testable import orderflow

struct LatencyHistogramTests {
  @Test func percentilesAreThoseOfTheSortedValuesToAThousandth() {
    var random = SeededRandom(seed: 7)
    var histogram = LatencyHistogram()
    var values: [Int] = []
    for _ in 0..<20_000 {
      // From microseconds to minutes, as many in each order of magnitude.
      let value = Int.random(in: 1...(1 << Int.random(in: 1...27, using: &random)), using: &random)
      values.append(value)
      histogram.record(.microseconds(value))
    }
    values.sort()

    #expect(histogram.count == 20_000)
    #expect(histogram.minimum == .microseconds(values[0]))
    #expect(histogram.maximum == .microseconds(values[19_999]))
    for fraction in [0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1] {
      let exact = Double(values[max(0, Int((fraction * 20_000).rounded(.up)) - 1)])
      let found = (histogram.percentile(fraction) / .microseconds(1)).rounded()
      #expect(found >= exact && found <= exact * 1.001 + 1, "p\(fraction): \(found), sorted \(exact)")
    }
  }

  @Test func everyValueLiesInItsBucketAndBucketsFollowEachOther() {
    for microseconds: UInt64 in [0, 1, 2_047, 2_048, 2_049, 4_095, 4_096, 1_000_000, 86_400_000_000, .max / 2, .max] {
      let bucket = LatencyHistogram.bucket(of: microseconds)
      #expect(LatencyHistogram.highestValue(of: bucket) >= microseconds)
      if bucket > 0 { #expect(LatencyHistogram.highestValue(of: bucket - 1) < microseconds) }
    }
    for bucket in 1..<20_000 {
      let lowest = LatencyHistogram.highestValue(of: bucket - 1) + 1
      #expect(LatencyHistogram.bucket(of: lowest) == bucket)
    }
  }

  @Test func anEmptyOneAndOneOfASingleValue() {
    var histogram = LatencyHistogram()
    #expect(histogram.percentile(0.99) == .zero)

    histogram.record(.milliseconds(5))
    #expect(histogram.percentile(0) == .milliseconds(5))
    #expect(histogram.percentile(0.5) == .milliseconds(5))
    #expect(histogram.percentile(1) == .milliseconds(5))
  }

  @Test func whatTwoClocksMakeNegativeCountsAsZero() {
    var histogram = LatencyHistogram()
    histogram.record(.milliseconds(-3))

    #expect(histogram.count == 1)
    #expect(histogram.maximum == .zero)
  }

  @Test func mergingIsAsIfOneHadCountedAll() {
    var first = LatencyHistogram()
    var second = LatencyHistogram()
    var both = LatencyHistogram()
    for value in 1...1_000 {
      first.record(.microseconds(value))
      second.record(.milliseconds(value))
      both.record(.microseconds(value))
      both.record(.milliseconds(value))
    }
    first.merge(second)
    first.merge(LatencyHistogram())

    #expect(first == both)
  }
}
