import ServiceDefaults

/// The one mapping of the domain's errors to problem details; others pass as they are.
func problems<Answer>(_ useCase: () async throws -> Answer) async throws -> Answer {
  do {
    return try await useCase()
  } catch let error as UnknownOrder {
    throw Problem.notFound("There is no order \(error.orderID).")
  } catch let error as TransitionRefused {
    throw Problem.conflict(
      "Order \(error.orderID) is \(error.status.rawValue) and cannot become \(error.target.rawValue).")
  } catch is KeyOfAnotherOrder {
    throw Problem.unprocessable(pointer: IdempotencyKey.pointer, "was used for another order")
  } catch is OrderChangedMeanwhile {
    throw Problem.unavailable("The order was changed by somebody else at this moment.")
  }
}
