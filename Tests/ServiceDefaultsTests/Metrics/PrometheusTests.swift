import CoreMetrics
import ServiceDefaults
import Testing

@Suite struct PrometheusTests {
  @Test func metricsAreRenderedSortedWithHelpAndType() {
    let registry = PrometheusRegistry()
    registry.makeCounter(label: "messages.sent", dimensions: [("topic", "orders"), ("a-b", #"x"y\z"# + "\n")])
      .increment(by: 2)
    registry.makeCounter(label: "messages.sent", dimensions: []).increment(by: 1)
    registry.makeMeter(label: "depth", dimensions: []).set(2.5)
    registry.makeRecorder(label: "9lives", dimensions: [], aggregate: false).record(Int64(9))

    let lines = ownLines(registry)

    #expect(
      lines == [
        "# HELP _9lives 9lives", "# TYPE _9lives gauge", "_9lives 9",
        "# HELP depth depth", "# TYPE depth gauge", "depth 2.5",
        "# HELP messages_sent_total messages.sent", "# TYPE messages_sent_total counter",
        "messages_sent_total 1",
        #"messages_sent_total{a_b="x\"y\\z\n",topic="orders"} 2"#,
      ])
  }

  @Test func timersAreHistogramsOfSeconds() {
    let registry = PrometheusRegistry()
    let timer = registry.makeTimer(label: "http.server.request.duration", dimensions: [("route", "/orders")])
    for nanoseconds: Int64 in [400_000, 1_000_000, 2_000_000, 70_000_000_000] { timer.recordNanoseconds(nanoseconds) }

    let lines = ownLines(registry)

    let name = "http_server_request_duration_seconds"
    #expect(lines.contains(#"\#(name)_bucket{route="/orders",le="0.0005"} 1"#))
    #expect(lines.contains(#"\#(name)_bucket{route="/orders",le="0.001"} 2"#))
    #expect(lines.contains(#"\#(name)_bucket{route="/orders",le="60"} 3"#))
    #expect(lines.contains(#"\#(name)_bucket{route="/orders",le="+Inf"} 4"#))
    #expect(lines.contains(#"\#(name)_count{route="/orders"} 4"#))
    #expect(lines.contains { $0.hasPrefix(#"\#(name)_sum{route="/orders"} 70.0034"#) })
  }

  @Test func theSameLabelsAreTheSameMetricInAnyOrder() {
    let registry = PrometheusRegistry()
    registry.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1)
    registry.makeCounter(label: "c", dimensions: [("b", "2"), ("a", "1")]).increment(by: 1)
    #expect(ownLines(registry).last == #"c_total{a="1",b="2"} 2"#)
  }

  @Test func aNameThatTwoTypesWantIsNoCrash() {
    let registry = PrometheusRegistry()
    registry.makeMeter(label: "size", dimensions: []).set(Int64(1))
    registry.makeRecorder(label: "size", dimensions: [], aggregate: true).record(Int64(7))
    registry.makeRecorder(label: "size", dimensions: [], aggregate: true).record(Int64(7))
    let lines = ownLines(registry)
    #expect(lines.contains("size 1"))
    #expect(lines.contains { $0.hasSuffix("_count 2") })
    #expect(lines.filter { $0 == "# TYPE size gauge" }.count == 1)
  }

  @Test func nothingIsLostWhenManyCount() async {
    let registry = PrometheusRegistry()
    await withTaskGroup { group in
      for _ in 0..<20 {
        group.addTask {
          for _ in 0..<1000 {
            registry.makeCounter(label: "c", dimensions: []).increment(by: 1)
            registry.makeTimer(label: "t", dimensions: []).recordNanoseconds(1)
            registry.makeMeter(label: "m", dimensions: []).increment(by: 1)
            registry.makeFloatingPointCounter(label: "f", dimensions: []).increment(by: 0.5)
          }
        }
      }
    }
    let lines = ownLines(registry)
    #expect(lines.contains("c_total 20000") && lines.contains("t_seconds_count 20000"))
    #expect(lines.contains("m 20000") && lines.contains("f_total 10000"))
  }

  @Test func theProcessShowsItself() {
    let text = PrometheusRegistry().render()
    #expect(text.contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total "))
  }

  private func ownLines(_ registry: PrometheusRegistry) -> [String] {
    registry.render().split(separator: "\n").map(String.init).filter { !$0.contains("process_") }
  }
}
