// Visits the console in a real Chromium, as a person would, with a fake microphone that hears a WAV file.
//
//   node console.cjs <Chromium> <page's URL> <key> <own voice> <another voice> <folder for screenshots>
//
// Prints one JSON object with what the person saw. Fails when something that should appear does not.
"use strict";

const { chromium } = require("playwright-core");

const [executablePath, url, key, own, other, folder] = process.argv.slice(2);
const WAIT = { timeout: 30_000 };

async function visit(voice, steps) {
    const browser = await chromium.launch({
        executablePath,
        args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${voice}%noloop`],
    });
    try {
        const context = await browser.newContext({ permissions: ["microphone"], viewport: { width: 390, height: 844 } });
        const page = await context.newPage();
        const problems = [];
        page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
        page.on("pageerror", (error) => problems.push(String(error)));
        page.on("dialog", (dialog) => dialog.accept());
        await page.goto(url);
        return { ...(await steps(page)), problems, stored: await context.storageState(), address: page.url() };
    } finally {
        await browser.close();
    }
}

async function signIn(page) {
    await page.getByLabel("Key or token").fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "People" }).waitFor(WAIT);
}

async function speak(page, place) {
    await place.getByRole("button", { name: "Record", exact: true }).click();
    await page.waitForTimeout(3_500);
    await place.getByRole("button", { name: "Stop and send" }).click();
}

const shot = (page, name) => page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
const recorders = (page) => page.locator(".recording");

async function firstVisit(page) {
    await signIn(page);
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
    await page.getByRole("button", { name: "Audit" }).click();
    await page.getByRole("cell", { name: "profile.enroll" }).first().waitFor(WAIT);
    await shot(page, "audit");
    return { steps, answer, scale };
}

async function anotherVoice(page) {
    await signIn(page);
    await page.getByRole("button", { name: "People" }).click();
    await page.getByRole("button", { name: /^Open/ }).click();
    await page.getByRole("heading", { name: "Verify" }).waitFor(WAIT);
    await speak(page, recorders(page).last());
    await page.locator(".outcome .answer").waitFor(WAIT);
    const answer = await page.locator(".outcome .answer").textContent();
    await shot(page, "rejected");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("There is nobody yet.").waitFor(WAIT);
    return { answer };
}

(async () => {
    const first = await visit(own, firstVisit);
    const second = await visit(other, anotherVoice);
    console.log(JSON.stringify({ first, second }));
})().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
