/// The page that the browser test opens. Each test of it is a promise; what became of them is posted to `/box/results`.
enum BrowserPage {
    static func text(host: String) -> String {
        #"""
        <!doctype html><meta charset=utf-8><title>EventSource</title><script>
        const HOST = "\#(host)", tests = [];
        const test = (name, run) => tests.push({ name, run });
        const hex = (...pieces) => pieces.map(text => [...(typeof text === "string" ? new TextEncoder().encode(text) : text)]
            .map(b => b.toString(16).padStart(2, "0")).join("")).join(",");
        const message = (...pieces) => "/message?hex=" + hex(...pieces);
        const equal = (found, wanted) => { if (JSON.stringify(found) !== JSON.stringify(wanted)) throw Error(JSON.stringify(found) + " is not " + JSON.stringify(wanted)) };
        /** Collects events until there are so many, or the stream ends for good. */
        const events = (url, count, { names = ["message"], init } = {}) => new Promise((resolve, reject) => {
            const source = new EventSource(url, init), seen = [];
            const done = () => { source.close(); resolve(seen) };
            for (const name of names) source.addEventListener(name, e => { seen.push({ name, data: e.data, id: e.lastEventId }); if (seen.length === count) done() });
            source.onerror = () => { if (source.readyState === EventSource.CLOSED) reject(Error("closed after " + JSON.stringify(seen))); else if (count === "end") done() };
        });
        const data = async (url, count, more) => (await events(url, count, more)).map(e => e.data);
        const text = async (url) => { for (;;) { const answer = await fetch(url); if (answer.ok) return answer.text(); await new Promise(r => setTimeout(r, 30)) } };
        const fails = (url, init) => new Promise((resolve, reject) => {
            const source = new EventSource(url, init);
            source.onmessage = () => { source.close(); reject(Error("it got a message")) };
            source.onerror = () => source.readyState === EventSource.CLOSED ? resolve() : (source.close(), reject(Error("it tried again")));
        });

        // The format.
        test("format-bom", async () => equal(await data(message("\uFEFFdata:1\n\n\uFEFFdata:2\n\ndata:3\n\n"), 2), ["1", "3"]));
        test("format-comments", async () => equal(await data(message("data:1\r:\0\n:\r\ndata:2\n:" + "x".repeat(2000) + "\rdata:3\n:data:fail\r:" + "x".repeat(2000) + "\ndata:4\n\n"), 1), ["1\n2\n3\n4"]));
        test("format-data-before-final-empty-line", async () => equal(await data(message("retry:1000\ndata:test1\n\nid:test\ndata:test2"), "end"), ["test1"]));
        test("format-field-data", async () => equal(await data(message("data:\n\ndata\ndata\n\ndata:test\n\n"), 3), ["", "\n", "test"]));
        test("format-field-event", async () => equal((await events(message("event:test\ndata:x\n\ndata:x\n\n"), 2, { names: ["test", "message"] })).map(e => e.name), ["test", "message"]));
        test("format-field-id", async () => equal((await events(message("id:…\ndata:hello\n\ndata:2\n\nid\ndata:3\n\nid:a\0b\ndata:4\n\n"), 4)).map(e => e.id), ["…", "…", "", ""]));
        test("format-field-unknown", async () => equal(await data(message("data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n"), 1), ["test\n\ntest"]));
        test("format-leading-space", async () => equal(await data(message("data:\ttest\rdata: \ndata:test\n\n"), 1), ["\ttest\n\ntest"]));
        test("format-newlines", async () => equal(await data(message("data:test\r\ndata\ndata:test\r\n\r\n"), 1), ["test\n\ntest"]));
        test("format-newlines-cut-apart", async () => equal(await data(message("data:a\r", "\ndata:b\r", "\n\r", "\ndata:c\r\r"), 2), ["a\nb", "c"]));
        test("format-null-character", async () => equal(await data(message("data:\0\n\n\n\n"), 1), ["\0"]));
        test("format-utf-8", async () => equal(await data(message("data:ok…\n\n"), 1), ["ok…"]));
        test("format-utf-8-cut-apart", async () => equal(await data(message("data:", [0xE2], [0x80], [0xA6], "\n\n"), 1), ["…"]));
        test("format-mime-bogus", () => fails("/message?mime=x/bogus&hex=" + hex("data:x\n\n")));
        test("format-mime-trailing-semicolon", async () => equal(await data("/message?mime=text/event-stream;&hex=" + hex("data:x\n\n"), 1), ["x"]));

        // The request and its end.
        test("request-last-event-id", async () => equal(await data("/last-event-id", 2), ["hello", "1"]));
        test("request-last-event-id-utf-8", async () => equal(await data("/last-event-id?id=" + encodeURIComponent("…"), 2), ["hello", "…"]));
        test("request-reconnect", async () => equal(await data("/status?run=reconnect", 3), ["1", "2", "3"]));
        for (const status of [204, 205, 404, 500, 503])
            test("request-status-" + status, async () => { await fails("/status?run=s" + status + "&status=" + status); equal(await text("/count/s" + status), "1") });
        test("cookies", async () => { await data("/cookie", 1); equal((await data("/cookie", 1))[0].includes("fixture=COOKIE"), true) });
        const other = location.origin.replace("127.0.0.1", "localhost");
        test("cors-any", async () => equal(await data(other + "/cors?origin=*", 1), ["data"]));
        test("cors-origin", async () => equal(await data(other + "/cors?origin=" + location.origin, 1), ["data"]));
        test("cors-credentials", async () => equal(await data(other + "/cors?credentials=true&origin=" + location.origin, 1, { init: { withCredentials: true } }), ["data"]));
        test("cors-none", () => fails(other + "/cors"));
        test("cors-foreign", () => fails(other + "/cors?origin=http://example.invalid"));
        test("cors-credentials-any", () => fails(other + "/cors?origin=*&credentials=true", { withCredentials: true }));
        test("cors-credentials-none", () => fails(other + "/cors?origin=" + location.origin, { withCredentials: true }));

        // The host: of another origin, with a cookie, a ticket, and a restart in the middle.
        const stream = HOST + "/users/bob/notifications/stream";
        const like = (actor, headers) => fetch(HOST + "/likes", { method: "POST", credentials: "include", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify({ actor, post_id: 1, post_owner: "bob" }) });
        test("host", async () => {
            const token = await text("/box/token");
            document.cookie = "session=" + token + "; path=/";
            const seen = [], source = new EventSource(stream, { withCredentials: true });
            const first = new Promise((resolve, reject) => { source.onmessage = e => { seen.push(JSON.parse(e.data).actor); resolve() }; setTimeout(() => reject(Error("no event; state " + source.readyState)), 15000) });
            await new Promise(resolve => source.onopen = resolve);
            equal((await like("ann")).status, 201);
            await first;
            await fetch("/box/first", { method: "POST", body: "seen" });
            await text("/box/restarted");
            equal((await like("dan")).status, 201);
            while (seen.length < 4) await new Promise(r => setTimeout(r, 20));
            source.close();
            equal(seen, ["ann", "bea", "cid", "dan"]);
        });
        test("host-ticket", async () => {
            const token = await text("/box/token");
            await text("/box/restarted");
            const answer = await fetch(stream + "/ticket", { method: "POST", headers: { Authorization: "Bearer " + token } });
            equal(answer.status, 201);
            const { ticket } = await answer.json();
            const opened = await new Promise((resolve, reject) => {
                const source = new EventSource(stream + "?ticket=" + ticket);
                source.onopen = () => { source.close(); resolve(true) };
                source.onerror = () => reject(Error("it did not open"));
            });
            equal(opened, true);
            await fails(stream + "?ticket=" + ticket);
        });
        test("host-refuses", async () => { await text("/box/restarted"); await fails(stream.replace("bob", "eve"), { withCredentials: true }) });

        Promise.all(tests.map(async ({ name, run }) => {
            const late = new Promise((_, reject) => setTimeout(() => reject(Error("it did not end")), 25000));
            try { await Promise.race([run(), late]); return { name, problem: null } } catch (error) { return { name, problem: String(error.message ?? error) } }
        })).then(results => fetch("/box/results", { method: "POST", body: JSON.stringify(results) }));
        </script>
        """#
    }
}
