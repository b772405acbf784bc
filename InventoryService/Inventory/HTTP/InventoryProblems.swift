import ServiceDefaults

/// The one mapping of the domain's errors to problem details; others pass as they are.
func problems<Answer>(_ useCase: () async throws -> Answer) async throws -> Answer {
  do {
    return try await useCase()
  } catch let error as UnknownProduct {
    throw Problem.notFound("There is no product \(error.productID).")
  } catch let error as NoReservation {
    throw Problem.notFound("There is no reservation for order \(error.orderID).")
  } catch let error as StockBelowReserved {
    throw Problem.conflict(
      "\(error.reserved) of \(error.productID) are reserved: on_hand cannot become \(error.onHand).")
  } catch is StockTooLarge {
    throw Problem.unprocessable(pointer: "/quantity", "would raise on_hand above \(Product.onHandRange.upperBound)")
  }
}
