// Visits the console in a stock Firefox, over WebDriver BiDi. Its microphone is what is played on PulseAudio's default
// sink, whose monitor is the default source.
//
//   node firefox.cjs <Firefox> <service's URL> <key> <own voice> <another voice> <folder for screenshots>
//
// Prints one JSON object with what the person saw. Fails when something that should appear does not.
"use strict";

const { execFile } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { promisify } = require("node:util");
const puppeteer = require("puppeteer-core");

const [executablePath, url, key, own, other, folder] = process.argv.slice(2);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js", { paths: [`${__dirname}/..`] }), "utf8");

(async () => {
    const browser = await puppeteer.launch({
        browser: "firefox",
        executablePath,
        extraPrefsFirefox: { "media.navigator.permission.disabled": true },
    });
    const page = await browser.newPage();
    const problems = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    const button = (name) => page.locator(`::-p-aria([name="${name}"][role="button"])`);
    const press = (name) => button(name).click();
    const see = (text) => page.locator(`::-p-text(${text})`).wait();
    const read = (selector) => page.$eval(selector, (element) => element.textContent);
    const speak = async (file) => {
        await press("Record");
        await button("Stop and send").wait();
        if (file) await promisify(execFile)("paplay", [file]);
        await new Promise((passed) => setTimeout(passed, file ? 1_000 : 3_000));
        await press("Stop and send");
    };
    try {
        await page.setViewport({ width: 390, height: 844 });
        await page.goto(`${url}/console`);
        await page.locator("#secret").fill(key);
        await press("Sign in");
        await page.locator("input[type=checkbox]").click();
        await press("Begin");
        await speak();
        await page.locator(".outcome .problem").wait();
        const silence = await read(".outcome .problem");
        for (const words of ["2 of 3 recordings to come.", "1 of 3 recordings to come.", "Step 2 of 2"]) {
            await speak(own);
            await see(words);
        }
        await speak(own);
        await see("Done: you are verified.");
        const verified = await read(".outcome .answer");
        await speak(other);
        await see("Rejected.");
        await page.screenshot({ path: `${folder}/firefox.png` });
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => window.axe.run());
        const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ id }) => id);
        const stored = await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]);
        console.log(JSON.stringify({ silence, verified, serious, stored, problems, version: await browser.version() }));
    } finally {
        await browser.close();
    }
})().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
