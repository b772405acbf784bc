import Testing

@testable import orderflow

@Suite struct AccessTokenTests {
  @Test func theTokenIsTheEnvironments() {
    #expect(AccessToken.token(environment: [:]) == nil)
    #expect(AccessToken.token(environment: ["ORDERFLOW_TOKEN": " \n"]) == nil)
    #expect(AccessToken.token(environment: ["ORDERFLOW_TOKEN": "secret\n"]) == "secret")
  }

  @Test func forItsOwnWorkUpTakesATokenWithTheScopes() {
    let tokens = "a:read,b:orders+operate, c:stock+read+orders"
    #expect(AccessToken.token(for: ["read", "stock"], environment: ["API_TOKENS": tokens]) == "c")
    #expect(AccessToken.token(for: ["read", "stock"], environment: ["API_TOKENS": "a:read"]) == nil)
    let own = ["API_TOKENS": tokens, "ORDERFLOW_TOKEN": "mine"]
    #expect(AccessToken.token(for: ["read", "stock"], environment: own) == "mine")
  }
}
