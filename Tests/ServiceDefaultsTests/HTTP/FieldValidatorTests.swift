import EventSchema
import ServiceDefaults
import Testing
import WireFormat

@Suite struct FieldValidatorTests {
  @Test func everyErrorIsNamedByItsPointer() throws {
    var fields = try fields(
      #"{"id":"a b","text":"\u0007","count":1.5,"price":1.001,"items":[{"quantity":0},7,{"quantity":2}],"a/b~c":1}"#)

    #expect(fields.identifier("id", as: OrderID.self) == nil)
    #expect(fields.string("text", length: 1...5) == nil)
    #expect(fields.integer("count", in: 1...10) == nil)
    #expect(fields.money("price", in: OrderItem.unitPriceRange) == nil)
    #expect(fields.objects("items", count: 1...5) { $0.integer("quantity", in: 1...10) } == nil)
    #expect(fields.string("a/b~c", length: 1...5) == nil)
    #expect(fields.string("missing", length: 1...5) == nil)
    fields.refuse("", "is not liked")

    #expect(
      fields.errors.map(\.pointer) == [
        "/id", "/text", "/count", "/price", "/items/0/quantity", "/items/1", "/a~1b~0c", "/missing", "",
      ])
    #expect(throws: Problem.self) { try fields.check() }
  }

  @Test func whatIsWithinBoundsIsRead() throws {
    var fields = try fields(
      #"{"id":"A-z.0_9","text":"é","count":1e1,"price":49.900,"items":[{"quantity":2}],"reason":null}"#)

    #expect(fields.identifier("id", as: OrderID.self)?.rawValue == "A-z.0_9")
    #expect(fields.string("text", length: 1...1) == "é")
    #expect(fields.integer("count", in: 1...10) == 10)
    #expect(fields.money("price", in: OrderItem.unitPriceRange) == Money(minorUnits: 4990))
    #expect(fields.objects("items", count: 1...1) { $0.integer("quantity", in: 1...10) } == [2])
    #expect(fields.optionalString("reason", length: 0...500) == nil)
    #expect(fields.optionalInteger("absent", in: 0...1) == nil)
    #expect(fields.optionalMoney("absent", in: OrderItem.unitPriceRange) == nil)

    #expect(throws: Never.self) { try fields.check() }
  }

  @Test(arguments: [
    ("1", true), ("10000", true), ("0", false), ("10001", false), ("-1", false), ("1.0", true), ("1.5", false),
    ("\"1\"", false), ("true", false), ("1e400", false), ("1e999999999999", false), ("null", false),
  ])
  func quantitiesAreBoundFromBothSides(literal: String, isGood: Bool) throws {
    var fields = try fields(#"{"quantity":\#(literal)}"#)
    #expect((fields.integer("quantity", in: OrderItem.quantityRange) != nil) == isGood)
  }

  private func fields(_ json: String) throws -> FieldValidator {
    FieldValidator(try #require(try JSONElement(parsing: Array(json.utf8)).object))
  }
}
