import FiltersPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

@Suite struct FilterTests {
    private static let payload =
        #"{"kind":"like","age":30,"big":12345678901234567890,"rate":0.5,"day":"2026-11-24","none":null,"yes":true,"list":[1]}"#

    private func isKept(_ config: String, payload: String = payload, headers: [Header] = []) async throws -> Bool {
        let record = Record(
            topic: "t", partition: 0, offset: 1,
            event: Event(id: "id", key: "k", headers: headers, payload: Bytes(payload), timestamp: 5))
        let transform = try TestHost(payloads: SimdjsonPayloadReader()).make(FilterTransform.self, config)
        switch try await transform.apply(to: [record])[0] {
        case .keep: return true
        case .drop: return false
        case .fail(let error): throw error
        case .split: throw ModuleError.permanent("test.split", "it was split")
        }
    }

    @Test(arguments: [
        (#""value": "${/kind}", "equals": "like""#, true), (#""value": "${/kind}", "equals": "Like""#, false),
        (#""value": "${/age}", "equals": 30"#, true), (#""value": "${/age}", "equals": 30.0"#, true),
        (#""value": "${/age}", "equals": "30""#, false), (#""value": "age ${/age}", "equals": "age 30""#, true),
        (#""value": "${/rate}", "equals": 0.5"#, true), (#""value": "${/yes}", "equals": true"#, true),
        (#""value": "${/yes}", "equals": false"#, false), (#""value": "${/none}", "equals": null"#, true),
        (#""value": "${/gone}", "equals": null"#, false), (#""value": "${/gone:-null}", "equals": null"#, true),
        (#""value": "${/kind}", "not_equals": "follow""#, true), (#""value": "${/kind}", "not_equals": "like""#, false),
        (#""value": "${/gone}", "not_equals": "like""#, true),
        (#""value": "${/kind}", "in": ["follow", "like"]"#, true), (#""value": "${/kind}", "in": ["follow", 7]"#, false),
        (#""value": "${/kind}", "in": []"#, false), (#""value": "${/gone}", "in": [null]"#, false),
        (#""value": "${/gone}", "exists": true"#, false), (#""value": "${/gone}", "exists": false"#, true),
        (#""value": "${/none}", "exists": true"#, true), (#""value": "${/list/0}", "exists": true"#, true),
        (#""value": "${/age}", "above": 29.5"#, true), (#""value": "${/age}", "above": 30"#, false),
        (#""value": "${/age}", "at_least": 30"#, true), (#""value": "${/age}", "below": 30"#, false),
        (#""value": "${/age}", "at_most": 30"#, true), (#""value": "${/day}", "below": "2026-12-01""#, true),
        (#""value": "${/day}", "above": "2026-11-24""#, false), (#""value": "${/age}", "above": "1""#, false),
        (#""value": "${/gone}", "below": 5"#, false), (#""value": "${/big}", "above": 9e18"#, true),
        (#""value": "${@key}", "equals": "k""#, true), (#""value": "${@header.x}", "exists": false"#, true),
    ])
    func aConditionDecides(condition: String, isKept: Bool) async throws {
        #expect(try await self.isKept("{\"all\": [{\(condition)}]}") == isKept)
        #expect(try await self.isKept("{\"any\": [{\(condition)}]}") == isKept)
    }

    @Test func allAndAnyTogether() async throws {
        let config = try ReadmeExample.json(of: "Filters").replacing(#""type": "filter","#, with: "")
        let good = #"{"kind":"follow","recipient":"ben","post":{"age_days":3},"actor":"qa"}"#
        #expect(try await isKept(config, payload: good))
        #expect(try await isKept(config, payload: good, headers: [Header("test", "1")]))
        #expect(try await !isKept(config, payload: good.replacing("qa", with: "ana"), headers: [Header("test", "1")]))
        #expect(try await isKept(config, payload: good.replacing("qa", with: "ana")))
        #expect(try await !isKept(config, payload: good.replacing("3", with: "30")))
        #expect(try await !isKept(config, payload: good.replacing("recipient", with: "owner")))
    }

    @Test func aBrokenPayloadIsTheRecordsFault() async throws {
        let error = await #expect(throws: ModuleError.self) {
            try await isKept(#"{"all": [{"value": "${/a}", "exists": false}]}"#, payload: "{")
        }
        #expect(error?.code == "template.bad_payload")
        #expect(error?.kind == .permanent)
    }

    @Test(arguments: [
        ("{}", "config.json:1:1: all: a filter needs conditions in `all`, `any`, or both"),
        (
            #"{"all": [{"value": "${/a}"}]}"#,
            "config.json:1:20: all[0].value: a condition has exactly one of `exists`, `equals`, `not_equals`, `in`, `above`, `at_least`, `below` and `at_most`"
        ),
        (
            #"{"all": [{"value": "${/a}", "above": 1, "below": 3}]}"#,
            "config.json:1:20: all[0].value: a condition has exactly one of `exists`, `equals`, `not_equals`, `in`, `above`, `at_least`, `below` and `at_most`"
        ),
        (
            #"{"all": [{"value": "${/a}", "above": true}]}"#,
            "config.json:1:20: all[0].value: is compared with a string, a number, a boolean or null, found true"
        ),
    ])
    func badConfigsAreReported(config: String, problem: String) {
        let error = #expect(throws: ConfigError.self) {
            try TestHost(payloads: SimdjsonPayloadReader()).make(FilterTransform.self, config)
        }
        #expect(error?.problems.map { "\($0)" } == [problem])
    }
}
