import EventSchema
import ServiceDefaults
import WireFormat

/// The reason in the body of `POST /orders/{order_id}/cancel`; nil where none is given.
func cancellationReason(in object: JSONElement.Object) throws -> String? {
  var fields = FieldValidator(object)
  let reason = fields.optionalString("reason", length: 0...EventBounds.longestReason)
  try fields.check()
  return reason?.isEmpty == true ? nil : reason
}
