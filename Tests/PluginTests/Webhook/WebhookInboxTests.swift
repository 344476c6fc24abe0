import Testing

@testable import WebhookPlugin

/// The sleep of a dispatcher.
@Suite struct WebhookInboxTests {
    private static let hour: Int64 = 3_600_000

    /// A dispatcher that has something to do later takes thousands of turns a second before: they share one alarm.
    @Test func manySleepsShareAnAlarm() async {
        let inbox = WebhookPlugin.Inbox()
        let now = Moment.now().steady
        for number in 0..<1_000 {
            inbox.post(.arrived(["one"]))
            await inbox.wait(until: now + Self.hour + Int64(number))
            #expect(inbox.take().count == 1)
        }
        #expect(inbox.alarmCount == 1)
        inbox.close()
        #expect(inbox.alarmCount == 0)
    }

    @Test func anEarlierTimeWakesEarlier() async {
        let inbox = WebhookPlugin.Inbox()
        let now = Moment.now().steady
        inbox.post(.end)
        await inbox.wait(until: now + Self.hour)
        _ = inbox.take()
        await inbox.wait(until: now + 20)
        #expect(Moment.now().steady >= now + 20 && inbox.alarmCount == 1)
        inbox.close()
    }

    /// An alarm that comes between two sleeps ends the next one, which may have been planned for longer.
    @Test func anAlarmBetweenSleepsIsNotLost() async {
        let inbox = WebhookPlugin.Inbox()
        inbox.post(.end)
        await inbox.wait(until: Moment.now().steady)
        _ = inbox.take()
        await inbox.wait(until: nil)
        #expect(inbox.alarmCount == 0)
    }

    @Test func aNoticeWakes() async {
        let inbox = WebhookPlugin.Inbox()
        async let sleep: Void = inbox.wait(until: nil)
        inbox.post(.end)
        await sleep
        #expect(inbox.take().count == 1)
    }
}
