// Visits the console in a real Chromium, as a person would, with a fake microphone that hears a WAV file.
//
//   node console.cjs <Chromium> <service's URL> <key> <key that recognises> <token to verify> <own voice> <another voice>
//       <own speech> <a conversation> <folder for screenshots>
//
// Prints one JSON object with what the person saw. Fails when something that should appear does not.
"use strict";

const { readFileSync } = require("node:fs");
const http = require("node:http");
const { chromium } = require("playwright-core");

const [executablePath, url, key, lesserKey, token, own, other, speech, conversation, folder] = process.argv.slice(2);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const HOSTILE = "<img src=x onerror=document.title='run'>";
const PREFIX = "/voice";
const WAIT = { timeout: 30_000 };
const PHONE = { width: 390, height: 844 };

async function visit(base, voice, steps) {
    const browser = await chromium.launch({
        executablePath,
        args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${voice}%noloop`],
    });
    try {
        const context = await browser.newContext({ permissions: ["microphone"], viewport: PHONE });
        const page = await context.newPage();
        const problems = [];
        page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
        page.on("pageerror", (error) => problems.push(String(error)));
        page.on("dialog", (dialog) => dialog.accept());
        await page.goto(`${base}/console`);
        const seen = await steps(page);
        return { ...seen, problems, stored: await context.storageState(), address: page.url(), title: await page.title() };
    } finally {
        await browser.close();
    }
}

async function signIn(page, secret) {
    await page.getByLabel("Key or token").fill(secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "People" }).waitFor(WAIT);
}

async function speak(page, place) {
    await place.getByRole("button", { name: "Record", exact: true }).click();
    await page.waitForTimeout(3_000);
    await place.getByRole("button", { name: "Stop and send" }).click();
}

/** A screenshot without phrases; and what axe finds serious. */
async function shot(page, name) {
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true, mask: [page.locator(".phrases, q")], maskColor: "#888c94" });
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run());
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    if (serious.length) throw new Error(`${name}: ${JSON.stringify(serious.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]))}`);
}

const recorders = (page) => page.locator(".recording");

async function firstVisit(page) {
    await signIn(page, key);
    await shot(page, "first-visit");
    await page.getByLabel("I agree").check();
    await page.getByRole("button", { name: "Begin" }).click();
    const steps = [];
    for (const words of ["2 of 3 recordings to come.", "1 of 3 recordings to come."]) {
        await speak(page, recorders(page));
        await page.getByText(words).waitFor(WAIT);
        steps.push(words);
    }
    await shot(page, "enrolling");
    await speak(page, recorders(page));
    await page.getByText("Step 2 of 2").waitFor(WAIT);
    await speak(page, recorders(page));
    await page.getByText("Done: you are verified.").waitFor(WAIT);
    await shot(page, "verified");
    await page.setViewportSize({ width: 800, height: 600 });
    await shot(page, "wide"); // docs/console.png
    await page.setViewportSize(PHONE);
    await page.emulateMedia({ colorScheme: "dark" });
    await shot(page, "verified-dark");
    const answer = await page.locator(".outcome .answer").textContent();
    const scale = await page.getByRole("img").getAttribute("aria-label");
    await page.getByRole("button", { name: "Keep this person" }).click();
    await page.getByText("Given: statement console-first-visit").waitFor(WAIT);
    await shot(page, "person");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("About 1 in 100 strangers passes.").first().waitFor(WAIT);
    await shot(page, "settings");
    await page.getByLabel("Threshold of verify").fill("0.55");
    await page.getByText("About 1 in 116 strangers passes.").waitFor(WAIT);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor(WAIT);
    await page.getByRole("button", { name: "Audit" }).click();
    await page.getByText("thresholds.verification: 0.5 → 0.55").waitFor(WAIT);
    await page.getByRole("cell", { name: "profile.enroll" }).first().waitFor(WAIT);
    await shot(page, "audit");
    return { steps, answer, scale };
}

/** A list of people, and identify by file, with a key that may no more. */
async function lesser(page) {
    await signIn(page, lesserKey);
    await page.getByRole("cell", { name: "among others" }).waitFor(WAIT);
    await shot(page, "people");
    const buttons = await page.locator("button:visible").allTextContents();
    await page.getByRole("button", { name: "Identify" }).click();
    await page.getByLabel("or a file").setInputFiles(speech);
    await page.locator(".outcome .answer").waitFor(WAIT);
    const answer = await page.locator(".outcome .answer").textContent();
    await shot(page, "identified");
    return { buttons, answer, turns: await whoSpoke(page) };
}

/** The turns of a conversation: drawn, listed, heard by keyboard, and taken along. */
async function whoSpoke(page) {
    await page.getByRole("button", { name: "Turns" }).click();
    await page.getByLabel("or a file").setInputFiles(conversation);
    const entries = page.getByRole("list", { name: "Turns" }).getByRole("button");
    await entries.first().waitFor(WAIT);
    await shot(page, "turns");
    await entries.last().focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => !document.querySelector("audio").paused, null, WAIT);
    const from = await page.evaluate(() => document.querySelector("audio").currentTime);
    await page.locator(".strip rect").first().click();
    await page.waitForFunction(() => document.querySelector("audio").currentTime < 4, null, WAIT);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download WebVTT" }).click()]);
    const listed = await entries.allTextContents();
    await page.getByRole("button", { name: "Identify" }).click();
    return { listed, from, file: readFileSync(await download.path(), "utf8") };
}

/** Tab until the button or field of this name has the focus; its outline must show. */
async function tabTo(page, name) {
    for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press("Tab");
        const focused = page.locator(":focus");
        if (!(await focused.count())) continue;
        const label = await focused.evaluate((one) => one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent);
        if (!label.includes(name)) continue;
        if ((await focused.evaluate((one) => getComputedStyle(one).outlineStyle)) === "none") throw new Error(`${name} has no outline`);
        return;
    }
    throw new Error(`no way to ${name} by keyboard`);
}

/** By keyboard alone. */
async function withToken(page) {
    await page.reload();
    await tabTo(page, "Key or token");
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "by phrase" }).waitFor(WAIT);
    await tabTo(page, "by phrase");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Verify" }).waitFor(WAIT);
    const buttons = await page.locator("button:visible").allTextContents();
    await tabTo(page, "Sign out");
    await page.keyboard.press("Space");
    await page.getByLabel("Key or token").waitFor(WAIT);
    return { buttons, left: await page.locator("#view").innerHTML() };
}

/** In front of the service as a gateway that adds a path prefix. */
async function gateway() {
    const server = http.createServer((request, response) => {
        const path = request.url.startsWith(`${PREFIX}/`) ? request.url.slice(PREFIX.length) : "/outside-of-the-prefix";
        const passed = http.request(`${url}${path}`, { method: request.method, headers: request.headers }, (answer) => {
            response.writeHead(answer.statusCode, answer.headers);
            answer.pipe(response);
        });
        request.pipe(passed);
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    return server;
}

async function anotherVoice(page) {
    await signIn(page, key);
    await page.getByRole("button", { name: "People" }).click();
    await page.getByRole("row", { name: "by phrase" }).getByRole("button", { name: /^Open/ }).click();
    await page.getByRole("heading", { name: "Verify" }).waitFor(WAIT);
    await speak(page, recorders(page).last());
    await page.locator(".outcome .answer").waitFor(WAIT);
    const answer = await page.locator(".outcome .answer").textContent();
    await page.getByLabel("Statement that was agreed to").fill(HOSTILE);
    await page.getByRole("button", { name: "Record consent" }).click();
    await page.getByText(`Given: statement ${HOSTILE}`).waitFor(WAIT);
    await shot(page, "rejected");
    await page.getByLabel("Label, kept in this browser alone").fill(HOSTILE);
    await page.getByRole("button", { name: "Keep the label" }).click();
    await page.getByRole("heading", { name: HOSTILE }).waitFor(WAIT);
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("Deleted.").waitFor(WAIT);
    return { answer };
}

(async () => {
    const first = await visit(url, own, firstVisit);
    const second = await visit(url, other, anotherVoice);
    const front = await gateway();
    const third = await visit(`http://127.0.0.1:${front.address().port}${PREFIX}`, own, lesser);
    front.close();
    const fourth = await visit(url, own, withToken);
    console.log(JSON.stringify({ first, second, third, fourth }));
})().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
