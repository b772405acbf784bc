import Hummingbird

/// What every service answers to those who operate it.
struct OperationsRoutes: Sendable {
  let identity: ServiceIdentity
  let checks: [ReadinessCheck]
  let outbox: OutboxRoutes
  let deadLetters: DeadLetterRoutes
  let kafka: @Sendable () -> KafkaState
  let consumer: @Sendable () -> ConsumerReport
  let metrics: PrometheusRegistry
  let gauges: BacklogGauges

  func add(to router: ServiceRouter) {
    router.get("/health") { _, _ in Response.json(Health(service: identity.name)) }
    router.get("/ready") { _, _ in try await ready() }
    router.get("/metrics") { _, _ in
      await gauges.refresh()
      return Response.text(metrics.render(), contentType: PrometheusText.contentType)
    }
    router.get("/consumers") { _, _ in Response.json(ConsumersReport(consumers: [consumer()])) }
    outbox.add(to: router)
    deadLetters.add(to: router)
  }

  private func ready() async throws -> Response {
    var results: [(name: String, reason: String?)] = []
    for check in checks { results.append((check.name, await check.check())) }
    let kafka = kafka()
    if !identity.worksWithoutBroker { results.append(("kafka", kafka.whyNotConsuming)) }
    let report = ReadinessReport(service: identity.name, results: results, kafka: kafka)
    guard report.isReady else { throw report.problem }
    return .json(report)
  }
}
