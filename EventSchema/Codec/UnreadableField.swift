/// Why a record is no event: "items[0].quantity: must be 1 to 10000".
struct UnreadableField: Error {
  let reason: String
}
