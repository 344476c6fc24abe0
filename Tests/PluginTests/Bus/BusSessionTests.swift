import Martlet
import Testing

@testable import BusPlugin

struct BusSessionTests {
    /// A bus with one client and two subscriptions of others.
    private final class Hub: SessionHub {
        var subscriptions: [String] = []
        var published: [String] = []
        let limit = 3

        func subscribe(_ name: Bytes, isPattern: Bool, session: Int) -> Bool {
            guard subscriptions.count < limit else { return false }
            subscriptions.append(isPattern ? "p:\(name)" : "c:\(name)")
            return true
        }
        func unsubscribe(_ name: Bytes, isPattern: Bool, session: Int) {
            subscriptions.removeAll { $0 == (isPattern ? "p:\(name)" : "c:\(name)") }
        }
        func publish(_ payload: Bytes, to channel: Bytes) -> Int {
            published.append("\(channel)=\(payload)")
            return 2
        }
        func channels(matching pattern: ChannelPattern?) -> [Bytes] {
            (["a", "b"] as [Bytes]).filter { pattern?.matches($0) ?? true }
        }
        func subscriberCount(of channel: Bytes) -> Int { channel == "a" ? 1 : 0 }
        var patternCount: Int { 1 }
    }

    /// What a client that says this is told.
    private func talk(_ lines: [String], password: Bytes? = nil) -> (replies: String, outcome: BusSession.Outcome, hub: Hub) {
        let hub = Hub()
        var session = BusSession(number: 7, password: password)
        var outcome = BusSession.Outcome.goesOn
        for line in lines where outcome == .goesOn {
            let words = InlineWords.split(Array(line.utf8)[...]) ?? []
            outcome = session.handle(words, hub)
        }
        return (String(decoding: session.replies.take(), as: UTF8.self).replacing("\r\n", with: "|"), outcome, hub)
    }

    private static let conversations: [([String], String)] = [
        (["PING"], "+PONG|"),
        (["ping hello"], "$5|hello|"),
        (["PING a b"], "-ERR wrong number of arguments for 'PING' command|"),
        (["PUBLISH a hello"], ":2|"),
        (["SUBSCRIBE a b"], "*3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|"),
        (["SUBSCRIBE a a"], "*3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|a|:1|"),
        (["PSUBSCRIBE a*", "PING"], "*3|$10|psubscribe|$2|a*|:1|*2|$4|pong|$0||"),
        (["SUBSCRIBE a", "UNSUBSCRIBE"], "*3|$9|subscribe|$1|a|:1|*3|$11|unsubscribe|$1|a|:0|"),
        (["UNSUBSCRIBE"], "*3|$11|unsubscribe|$-1|:0|"),
        (["PUNSUBSCRIBE x"], "*3|$12|punsubscribe|$1|x|:0|"),
        (["SUBSCRIBE a", "UNSUBSCRIBE a", "PUBLISH a x"], "*3|$9|subscribe|$1|a|:1|*3|$11|unsubscribe|$1|a|:0|:2|"),
        (
            ["SUBSCRIBE a", "GET x"],
            "*3|$9|subscribe|$1|a|:1|-ERR unknown command 'GET'|"
        ),
        (
            ["SUBSCRIBE a", "PUBLISH a x"],
            "*3|$9|subscribe|$1|a|:1|-ERR Can't execute 'PUBLISH': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context|"
        ),
        (
            ["SUBSCRIBE a b c d"],
            "*3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|*3|$9|subscribe|$1|c|:3|-ERR the bus has as many subscriptions as it may (max_subscriptions)|"
        ),
        (["SUBSCRIBE a", "RESET", "PUBLISH a x"], "*3|$9|subscribe|$1|a|:1|+RESET|:2|"),
        (["PUBSUB CHANNELS"], "*2|$1|a|$1|b|"),
        (["pubsub channels a*"], "*1|$1|a|"),
        (["PUBSUB NUMSUB a x"], "*4|$1|a|:1|$1|x|:0|"),
        (["PUBSUB NUMPAT"], ":1|"),
        (["PUBSUB WHAT"], "-ERR Unknown PUBSUB subcommand or wrong number of arguments for 'WHAT'|"),
        (["CLIENT ID"], ":7|"),
        (["CLIENT GETNAME", "CLIENT SETNAME me", "CLIENT GETNAME"], "$-1|+OK|$2|me|"),
        ([#"CLIENT SETNAME "a b""#], "-ERR Client names cannot contain spaces, newlines or special characters.|"),
        (["CLIENT SETINFO LIB-NAME redis-py"], "+OK|"),
        (["COMMAND DOCS"], "*0|"),
        (["SELECT 0", "SELECT 1"], "+OK|-ERR DB index is out of range: a bus has no databases|"),
        (["QUIT", "PING"], "+OK|"),
        ([#""bad\r\nname""#], "-ERR unknown command 'bad  name'|"),
        (["AUTH secret"], "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?|"),
        (["HELLO 4"], "-NOPROTO unsupported protocol version|"),
        (["HELLO 3 WHAT"], "-ERR Syntax error in HELLO option 'WHAT'|"),
        (["HELLO 3 SETNAME me", "CLIENT GETNAME"], "%7|$6|server|$5|redis|$7|version|$5|7.0.0|$5|proto|:3|$2|id|:7|$4|mode|$10|standalone|$4|role|$6|master|$7|modules|*0|$2|me|"),
        (["HELLO"], "*14|$6|server|$5|redis|$7|version|$5|7.0.0|$5|proto|:2|$2|id|:7|$4|mode|$10|standalone|$4|role|$6|master|$7|modules|*0|"),
    ]

    @Test(arguments: conversations)
    func aConversation(lines: [String], expected: String) {
        #expect(talk(lines).replies == expected)
    }

    @Test func inRESP3ASubscriberCanDoEverything() {
        let conversation = talk(["HELLO 3", "SUBSCRIBE a", "PUBLISH a x", "PING", "CLIENT GETNAME"])
        #expect(conversation.replies.hasSuffix("*0|>3|$9|subscribe|$1|a|:1|:2|+PONG|_|"))
        #expect(conversation.hub.published == ["a=x"])
    }

    @Test func aLongNameIsRefused() {
        let name = String(repeating: "n", count: 1_025)
        #expect(talk(["SUBSCRIBE \(name)", "PUBLISH \(name) x"]).replies
            == "-ERR a channel name has at most 1024 bytes|-ERR a channel name has at most 1024 bytes|")
    }

    @Test func resetAndQuitLeaveNothingBehind() {
        #expect(talk(["SUBSCRIBE a", "PSUBSCRIBE b*", "RESET"]).hub.subscriptions.isEmpty)
        #expect(talk(["SUBSCRIBE a", "PSUBSCRIBE b*", "UNSUBSCRIBE"]).hub.subscriptions == ["p:b*"])
        #expect(talk(["QUIT"]).outcome == .ends)
    }

    private static let logins: [([String], String)] = [
        (["PING"], "-NOAUTH Authentication required.|"),
        (["SUBSCRIBE a"], "-NOAUTH Authentication required.|"),
        (["NOSUCH"], "-NOAUTH Authentication required.|"),
        (["AUTH secret", "PING"], "+OK|+PONG|"),
        (["AUTH default secret", "PING"], "+OK|+PONG|"),
        (["AUTH bob secret", "PING"], "-WRONGPASS invalid username-password pair or user is disabled.|-NOAUTH Authentication required.|"),
        (["AUTH secreT"], "-WRONGPASS invalid username-password pair or user is disabled.|"),
        (["AUTH secret", "RESET", "PING"], "+OK|+RESET|-NOAUTH Authentication required.|"),
        (["HELLO 3 AUTH default wrong"], "-WRONGPASS invalid username-password pair or user is disabled.|"),
    ]

    @Test(arguments: logins)
    func aLogin(lines: [String], expected: String) {
        #expect(talk(lines, password: "secret").replies == expected)
    }

    @Test func helloLogsIn() {
        #expect(talk(["HELLO 3"], password: "secret").replies.hasPrefix("-NOAUTH HELLO must be called"))
        let good = talk(["HELLO 3 AUTH default secret", "PING"], password: "secret")
        #expect(good.replies.hasPrefix("%7|") && good.replies.hasSuffix("|+PONG|"))
    }

    @Test func guessingEndsTheConversation() {
        let conversation = talk(Array(repeating: "AUTH wrong", count: 9), password: "secret")
        #expect(conversation.outcome == .ends)
        #expect(conversation.replies.split(separator: "|").count == 5)
    }
}
