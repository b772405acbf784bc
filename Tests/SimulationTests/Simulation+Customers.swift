import EventSchema
import Messaging
import TestSupport

@testable import Inventory
@testable import Orders

/// What people do meanwhile.
extension Simulation {
  func openShop() throws {
    try stock(Shop.plenty, 1_000_000)
    for product in Shop.scarce { try stock(product, Int64.random(in: 0...6, using: &random)) }
  }

  func customerActs() throws {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<6: try place()
    case 6..<9: try placeOnce()
    case 9, 10: try askAgain()
    case 11..<16: try cancel()
    case 16, 17: try look()
    case 18: try restock()
    default: try stock(Shop.scarce.randomElement(using: &random) ?? "", Int64.random(in: 0...8, using: &random))
    }
  }

  private func place() throws {
    guard let placeOrder = orders.instances.randomElement(using: &random)?.application.placeOrder else { return }
    let draft = try someDraft()
    do {
      enter(try blocking { try await placeOrder(draft) }.id, draft, key: nil)
    } catch let error as StoreUnavailable {
      note("an order is not taken: \(error)")
    }
  }

  private func placeOnce() throws {
    book.keys += 1
    try place(try someDraft(), key: "key-\(book.keys)")
  }

  /// The answer was lost, or there was none: the customer asks again, sometimes for something else.
  private func askAgain() throws {
    if let attempt = book.unanswered.popLast() { return try place(attempt.draft, key: attempt.key) }
    guard let entry = book.entries.filter({ $0.key != nil }).randomElement(using: &random), let key = entry.key else {
      return
    }
    let isTheSame = Int.random(in: 0..<4, using: &random) > 0
    try place(isTheSame ? entry.draft : try someDraft(), key: key)
  }

  private func place(_ draft: OrderDraft, key text: String) throws {
    guard let placeOrderOnce = orders.instances.randomElement(using: &random)?.application.placeOrderOnce else {
      return
    }
    let key = try identifier(IdempotencyKey(text, of: "customers"))
    let known = book.entries.first { $0.key == text }
    do {
      let outcome = try blocking { try await placeOrderOnce(draft, key: key) { Array($0.id.rawValue.utf8) } }
      let id = outcome.answer.orderID
      note("\(text) is answered with \(id)\(outcome.isRepeated ? " again" : "")")
      if outcome.isRepeated != (known != nil) || outcome.answer.body != Array(id.rawValue.utf8) {
        violation("\(text) got \(id), repeated: \(outcome.isRepeated)")
      }
      if let known, known.id != id || known.draft != draft { violation("\(text) is order \(known.id) and got \(id)") }
      if known == nil { enter(id, draft, key: text) }
    } catch let refusal as KeyOfAnotherOrder {
      note("\(text) is refused: it is that of \(refusal.orderID)")
      if known?.id != refusal.orderID || known?.draft == draft { violation("\(text) was refused") }
    } catch let error as StoreUnavailable {
      note("\(text) is not taken: \(error)")
      if known == nil { book.unanswered.append((text, draft)) }
    }
  }

  private func enter(_ id: OrderID, _ draft: OrderDraft, key: String?) {
    let names = Set(draft.items.map(\.productID.rawValue))
    book.add(
      OrderBook.Entry(
        id: id, draft: draft, key: key, isImpossible: names.contains(Shop.unknown), isCertain: names == [Shop.plenty]))
    note("order \(book.entries.count) is \(id): \(draft.items.map { "\($0.quantity) \($0.productID)" })")
  }

  private func someDraft() throws -> OrderDraft {
    let customer = try identifier(CustomerID("customer-\(Int.random(in: 0..<3, using: &random))"))
    return try OrderDraft(customerID: customer, items: try someItems())
  }

  private func someItems() throws -> [OrderItem] {
    var names = Set([Shop.plenty, Shop.scarce[0], Shop.scarce[1]].filter { _ in Bool.random(using: &random) })
    if Int.random(in: 0..<12, using: &random) == 0 { names.insert(Shop.unknown) }
    if names.isEmpty { names = [Shop.plenty] }
    return try names.sorted().map { name in
      OrderItem(
        productID: try identifier(ProductID(name)), quantity: Int.random(in: 1...3, using: &random),
        unitPrice: Money(minorUnits: Int64.random(in: 0...10_000, using: &random)))
    }
  }

  private func cancel() throws {
    guard let cancelOrder = orders.instances.randomElement(using: &random)?.application.cancelOrder,
      let index = book.entries.indices.randomElement(using: &random)
    else { return }
    let id = book.entries[index].id
    do {
      let order = try blocking { try await cancelOrder(id, reason: nil) }
      note("order \(index + 1) is cancelled")
      observe(index, order.status)
      if order.status == .cancelled {
        book.change(index) { $0.isCancelled = true }
      } else {
        violation("order \(index + 1) was cancelled and is \(order.status.rawValue)")
      }
    } catch let refusal as TransitionRefused {
      note("order \(index + 1) is not cancelled: it is \(refusal.status.rawValue)")
      observe(index, refusal.status)
      if refusal.status == .rejected {
        book.change(index) { $0.isRejected = true }
      } else {
        violation("order \(index + 1) could not be cancelled while \(refusal.status.rawValue)")
      }
    } catch let error as StoreUnavailable {
      note("order \(index + 1) is not cancelled: \(error)")
    } catch  where isPoisoned(book.entries[index].id, at: orders.name) {
      note("order \(index + 1) is not cancelled: its row cannot be written")
    }
  }

  private func look() throws {
    guard let application = orders.instances.randomElement(using: &random)?.application,
      let index = book.entries.indices.randomElement(using: &random)
    else { return }
    let id = book.entries[index].id
    let order = try application.database.readBlocking { try application.answers.orders.order(id, in: $0) }
    note("order \(index + 1) is seen as \(order.status.rawValue)")
    observe(index, order.status)
  }

  private func observe(_ index: Int, _ status: OrderStatus) {
    let before = book.entries[index].status
    if !OrderBook.canBecome(status, from: before) {
      violation("order \(index + 1) was \(before.rawValue) and is \(status.rawValue)")
    }
    book.change(index) { $0.status = status }
  }

  private func restock() throws {
    guard let restockProduct = inventory.instances.randomElement(using: &random)?.application.restockProduct,
      let name = Shop.scarce.randomElement(using: &random)
    else { return }
    let quantity = Int.random(in: 1...3, using: &random)
    let product = try identifier(ProductID(name))
    do {
      _ = try blocking { try await restockProduct(product, by: quantity) }
      book.stock[name, default: 0] += Int64(quantity)
      note("\(quantity) more \(name)")
    } catch let error as StoreUnavailable {
      note("nothing more of \(name): \(error)")
    } catch is UnknownProduct {
      note("nobody has heard of \(name) yet")
    }
  }

  private func stock(_ name: String, _ onHand: Int64) throws {
    guard let stockProduct = inventory.instances.randomElement(using: &random)?.application.stockProduct else { return }
    let product = try identifier(ProductID(name))
    do {
      _ = try blocking { try await stockProduct(product, name: name, onHand: onHand) }
      book.stock[name] = onHand
      note("\(onHand) \(name) in stock")
    } catch let error as StoreUnavailable {
      note("\(name) is not counted: \(error)")
    } catch is StockBelowReserved {
      note("\(name) cannot be \(onHand): more is reserved")
    }
  }

  func identifier<ID>(_ id: ID?) throws -> ID {
    guard let id else { throw Malformed() }
    return id
  }

  struct Malformed: Error {}
}
