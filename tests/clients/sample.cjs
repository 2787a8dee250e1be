// Visits the page of samples/browser in a real Chromium, with a fake microphone that hears a WAV file.
//
//   node sample.cjs <Chromium> <address of the page> <voice> <buttons to press, with commas>
//
// Prints as JSON what the page said after each recording, and the tokens that it sent.
"use strict";

const { chromium } = require("playwright-core");

const [executablePath, address, voice, purposes] = process.argv.slice(2);

(async () => {
    const browser = await chromium.launch({
        executablePath,
        args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${voice}%noloop`],
    });
    try {
        const context = await browser.newContext({ permissions: ["microphone"] });
        const page = await context.newPage();
        const problems = [], tokens = [];
        page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
        page.on("pageerror", (error) => problems.push(String(error)));
        page.on("request", (request) => request.headers().authorization && tokens.push(request.headers().authorization));
        await page.goto(address);
        const said = [];
        for (const purpose of purposes.split(",")) {
            await page.getByRole("button", { name: purpose, exact: true }).click();
            await page.getByText("Speak.").waitFor();
            await page.waitForTimeout(3_000);
            await page.getByRole("button", { name: "Stop and send" }).click();
            await page.getByText("Speak.").waitFor({ state: "hidden" });
            said.push(await page.getByRole("status").textContent());
        }
        console.log(JSON.stringify({ said, problems, tokens }));
    } finally {
        await browser.close();
    }
})().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
