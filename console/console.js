// The pages of the console, and what the key or token that signed in may do on them.

import { KINDS, Refused, call, hold, note, page, profile, profiles } from "./api.js";
import { button, choice, explanation, labelled, make, scale, shortDate, table } from "./drawing.js";
import { record } from "./microphone.js";
import { timeline } from "./turns.js";

const PHRASE = "verification/text-dependent";
const IDENTIFICATION = "identification/text-independent";
const LOCALE = "en-US";
const SPEAK = "Say what you like, for ten seconds or so.";
const ROLES = ["recognise", "enroll", "manage"];
const TAKES = { list: "recognise", verify: "recognise", identify: "recognise", identifyTurns: "recognise", settings: "manage", audit: "manage", retention: "manage" };

const byId = (id) => document.getElementById(id);
let caller = null;

/** Whether the key's role, or the token's purpose, takes it. Unnamed above: the role `enroll`. */
function may(action) {
    if (caller.operations) return caller.operations.includes(action === "list" ? "read" : action);
    return ROLES.indexOf(caller.role) >= ROLES.indexOf(TAKES[action] ?? "enroll");
}

// What is said in one place, and read out by a screen reader.

function say(text, isProblem = false) {
    byId("status").textContent = text;
    byId("status").classList.toggle("problem", isProblem);
}

/** Runs what a button asks for; what the service refuses is said. */
async function attempt(work) {
    say("");
    try {
        return await work();
    } catch (problem) {
        if (problem instanceof Refused && problem.status === 401 && caller) signOut();
        const words = { NotAllowedError: "The browser has no permission to use the microphone.", NotFoundError: "There is no microphone." };
        say(problem instanceof Refused ? problem.message : words[problem.name] ?? `This did not work: ${problem.message}`, true);
        return null;
    }
}

const asked = (work) => () => attempt(work);

// A label stands in this browser alone: the service knows no names.

const LABELS = "timbre.labels";
function labels() {
    try {
        return new Map(JSON.parse(localStorage.getItem(LABELS) ?? "[]"));
    } catch {
        return new Map(); // written by something else, or storage is switched off
    }
}

function label(profileId, text) {
    const all = labels();
    if (text) all.set(profileId, text);
    else all.delete(profileId);
    if (all.size) localStorage.setItem(LABELS, JSON.stringify([...all]));
    else localStorage.removeItem(LABELS);
}

const named = (profileId) => labels().get(profileId) ?? profileId.slice(0, 8);

// Recording, and what came of it.

/** A microphone with its level, or a file; `send` gets the recording as a Blob. */
function recorder(send) {
    const meter = make("meter", { min: -60, max: 0, low: -40, high: -6, optimum: -20, value: -60, "aria-label": "Level" });
    const told = make("span", {}, "");
    const file = make("input", { type: "file", accept: "audio/*", onchange: () => finish(async () => file.files[0]) });
    const start = button("Record", () => (stop ? finish(stop) : begin()), { class: "main record" });
    let stop = null;
    let isLeft = false;

    async function begin() {
        start.disabled = true;
        stop = await attempt(() => record((level, seconds) => {
            meter.value = level;
            told.textContent = `${seconds.toFixed(1)} s`;
        }));
        if (isLeft) stop?.();
        start.disabled = false;
        start.textContent = stop ? "Stop and send" : "Record";
    }

    async function finish(recording) {
        start.disabled = file.disabled = true;
        stop = null;
        await attempt(async () => {
            const blob = await recording();
            if (blob) {
                say("Sent. The service listens.");
                await send(blob);
            }
        });
        start.disabled = file.disabled = false;
        start.textContent = "Record";
        told.textContent = file.value = "";
        meter.value = -60;
    }

    const area = make("div", { class: "recording" }, start, meter, told, labelled("or a file", file));
    area.addEventListener("leave", () => { // another page is shown: the microphone goes off
        isLeft = true;
        stop?.();
    });
    return area;
}

/** Runs a recognition and shows its answer or its refusal, each with what the service says about it. */
async function decided(area, work, show) {
    area.replaceChildren();
    try {
        const answer = await work();
        area.replaceChildren(...show(answer), explanation(answer.details) ?? "");
        say("");
    } catch (problem) {
        if (!(problem instanceof Refused)) throw problem;
        area.replaceChildren(make("p", { class: "answer problem" }, problem.message), explanation(problem.details) ?? "");
        say("The recording was refused.", true);
    }
}

const answerArea = () => make("div", { class: "outcome", "aria-live": "polite" });

function verdict(answer) {
    const accepted = answer.recognitionResult === "Accept";
    return [
        make("p", { class: `answer ${accepted ? "yes" : "no"}` }, accepted ? "Accepted: it is this voice." : "Rejected."),
        scale(answer.score, answer.details?.threshold ?? null),
    ];
}

const verifier = (person, area, then = () => {}) => recorder((blob) => decided(area,
    () => call("POST", `${profile(person)}:verify?details=true`, blob), (answer) => {
        then(answer);
        return verdict(answer);
    }));

/** Enrolls, and shows how much is still to come. `then` gets the service's answer. */
const enroller = (person, area, then) => recorder((blob) => decided(area,
    () => call("POST", `${profile(person)}/enrollments?details=true`, blob), (answer) => {
        then(answer);
        return [make("p", { class: "answer yes" }, `Taken: ${answer.audioSpeechLengthInSec} s of speech.`)];
    }));

/** How far an enrollment is, as a bar with words. */
function progress(state) {
    const missing = state.remainingEnrollmentsCount ?? state.remainingEnrollmentsSpeechLengthInSec;
    const given = state.remainingEnrollmentsCount === undefined ? state.enrollmentsSpeechLengthInSec : state.enrollmentsCount;
    const words = missing === 0 ? "Enrolled." : state.remainingEnrollmentsCount === undefined
        ? `${missing} s of speech to come.` : `${missing} of ${given + missing} recordings to come.`;
    return make("div", { class: "progress" },
        make("progress", { max: given + missing || 1, value: given, "aria-label": "Enrollment" }), make("p", {}, words));
}

async function phrases(person) {
    const { value } = await call("GET", `speaker-recognition/${person.kind}/phrases/${LOCALE}`);
    return make("ul", { class: "phrases" }, ...value.map((entry) => make("li", {}, entry.passPhrase ?? entry.activationPhrase)));
}

// People

async function people() {
    const rows = make("tbody");
    const list = make("table", { class: "people" }, make("thead", {}, make("tr", {},
        ...["Person", "Kind", "State", "Last enrolled", "Actions"].map((title) => make("th", { scope: "col" }, title)))), rows);
    const more = make("p");
    const waiting = Object.keys(KINDS).map((kind) => [kind, `${profiles(kind)}?maxpagesize=100`]);
    async function load() {
        for (const [kind, path] of waiting.splice(0)) {
            const { entries, next } = await page(path);
            rows.append(...entries.map((entry) => personRow({ ...entry, kind })));
            if (next) waiting.push([kind, next]);
        }
        more.replaceChildren(waiting.length ? button("Show more", asked(load)) : rows.children.length ? "" : "There is nobody yet.");
    }
    if (!may("list")) return [make("h2", {}, "People"), ...givenPerson()];
    if (caller.profileId) return [make("h2", {}, "People"), ...(await ownPerson())];
    await load();
    return [make("h2", {}, "People"), may("create") ? newPerson() : null, make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "List of people" }, list), more];
}

function personRow(person) {
    const row = make("tr", {}, make("td", {}, named(person.profileId)), make("td", {}, KINDS[person.kind]),
        make("td", {}, person.enrollmentStatus), make("td", {}, shortDate(person.lastUpdatedDateTime)), make("td", {},
            button("Open", () => show("People", () => onePerson(person)), { "aria-label": `Open ${named(person.profileId)}` }),
            may("delete") ? button("Delete", asked(() => remove(person, () => row.remove())), { "aria-label": `Delete ${named(person.profileId)}` }) : null));
    return row;
}

async function remove(person, then) {
    if (!confirm(`Delete ${named(person.profileId)} and the voice? This cannot be undone.`)) return;
    await call("DELETE", profile(person));
    label(person.profileId, "");
    then();
    say("Deleted.");
}

function newPerson() {
    const kind = choice(Object.entries(KINDS), { id: "new-kind" });
    return make("form", { onsubmit: (event) => {
        event.preventDefault();
        attempt(async () => {
            const created = await call("POST", profiles(kind.value), { locale: LOCALE });
            await show("People", () => onePerson({ ...created, kind: kind.value }));
        });
    } }, labelled("Recognised", kind), make("button", { type: "submit" }, "New person"));
}

/** Of a token that may not read: it names a profile and no kind. */
function givenPerson() {
    if (!caller.profileId) return [make("p", {}, "This token is for no single person.")];
    return Object.entries(KINDS).filter(([kind]) => may("enroll") || kind !== IDENTIFICATION).map(([kind, words]) => make("p", {},
        button(`Open ${named(caller.profileId)}, ${words}`, () => show("People", () => onePerson({ profileId: caller.profileId, kind })))));
}

async function ownPerson() {
    for (const kind of Object.keys(KINDS)) {
        try {
            return await onePerson({ profileId: caller.profileId, kind });
        } catch (problem) {
            if (!(problem instanceof Refused) || problem.status !== 404) throw problem;
        }
    }
    return [make("p", {}, "There is no such person.")];
}

async function onePerson({ profileId, kind }) {
    const person = { profileId, kind };
    const state = may("list") ? await call("GET", profile(person)) : null;
    const reload = () => show("People", () => onePerson(person));
    const parts = [make("h2", {}, `Person ${named(profileId)}`)];
    if (state) {
        parts.push(make("dl", {}, ...[["Id", profileId], ["Kind", KINDS[kind]], ["Locale", state.locale], ["State", state.enrollmentStatus],
            ["Since", shortDate(state.createdDateTime)], ["Ends", shortDate(state.expiresDateTime)]]
            .flatMap(([title, text]) => [make("dt", {}, title), make("dd", {}, text)])));
    }
    parts.push(labelForm(profileId, reload));
    if (may("enroll")) {
        const area = answerArea(), bar = make("div", {}, state ? progress(state) : "");
        parts.push(make("h3", {}, "Enroll"), kind === PHRASE ? await phrases(person) : make("p", {}, SPEAK), bar,
            enroller(person, area, (answer) => bar.replaceChildren(progress(answer))), area);
    }
    if (may("verify") && kind !== IDENTIFICATION) {
        const area = answerArea();
        parts.push(make("h3", {}, "Verify"), make("p", {}, kind === PHRASE ? "Say the phrase of the enrollment." : SPEAK), verifier(person, area), area);
    }
    if (may("consent")) parts.push(...(await consent(person)));
    if (may("retention")) parts.push(...(await retention(person)));
    parts.push(make("p", {},
        may("reset") ? button("Reset the voice", asked(async () => {
            await call("POST", `${profile(person)}:reset`);
            await reload();
        })) : null, " ",
        may("delete") ? button("Delete", asked(() => remove(person, () => show("People", people)))) : null));
    return parts;
}

function labelForm(profileId, reload) {
    const text = make("input", { value: labels().get(profileId) ?? "", maxlength: 60, autocomplete: "off" });
    return make("form", { onsubmit: (event) => {
        event.preventDefault();
        label(profileId, text.value.trim());
        reload();
    } }, labelled("Label, kept in this browser alone", text), button("Keep the label", () => text.form.requestSubmit()));
}

async function consent(person) {
    const area = make("div");
    function draw(record) {
        const statement = make("input", { maxlength: 256, required: true, autocomplete: "off" });
        area.replaceChildren(make("p", {}, { given: "Given", none: "None on record", withdrawn: "Withdrawn" }[record.state],
            record.statementId ? `: statement ${record.statementId}, ${shortDate(record.recordedDateTime)}` : ""),
        make("form", { onsubmit: (event) => {
            event.preventDefault();
            attempt(async () => draw(await call("PUT", note(person, "consent"), { statementId: statement.value, channel: "console" })));
        } }, labelled("Statement that was agreed to", statement), make("button", { type: "submit" }, "Record consent"), " ",
        record.state === "given" ? button("Withdraw consent and erase the voice", asked(async () => {
            if (!confirm("Withdraw the consent? The voice is erased.")) return;
            await call("DELETE", note(person, "consent"));
            draw(await call("GET", note(person, "consent")));
        })) : null));
    }
    draw(await call("GET", note(person, "consent")));
    return [make("h3", {}, "Consent"), area];
}

const daysInput = (value) => make("input", { type: "number", min: 0, step: "any", value: value ?? "", placeholder: "for ever" });
const daysOf = (input) => (input.value === "" ? null : Number(input.value));

async function retention(person) {
    const clocks = await call("GET", note(person, "retention"));
    const age = daysInput(clocks.maxAgeDays), idle = daysInput(clocks.maxIdleDays);
    return [make("h3", {}, "Retention"), make("form", { onsubmit: (event) => {
        event.preventDefault();
        attempt(async () => {
            await call("PUT", note(person, "retention"), { maxAgeDays: daysOf(age), maxIdleDays: daysOf(idle) });
            say("Kept.");
        });
    } }, labelled("Days since the last enrollment", age), labelled("Days since the last use", idle),
    make("button", { type: "submit" }, "Keep these clocks"), " ",
    button("Go by the subscription's clocks", asked(async () => {
        await call("DELETE", note(person, "retention"));
        await show("People", () => onePerson(person));
    })))];
}

// Identify, and who spoke when

/** Who may be named: the controls, and how the choice is written in an address. */
function candidates() {
    const among = choice([["*", "everyone"], ["group:", "a group"], ["", "a list of ids"]]);
    const names = make("input", { autocomplete: "off", disabled: true });
    among.addEventListener("change", () => {
        names.disabled = among.value === "*";
    });
    const ids = () => among.value + (names.disabled ? "" : names.value.replaceAll(/\s*,\s*|\s+/g, ",").replaceAll(/^,|,$/g, ""));
    return { controls: [labelled("Among", among), labelled("Name of the group, or ids", names)], chosen: () => encodeURIComponent(ids()) };
}

async function identify() {
    const area = answerArea(), { controls, chosen } = candidates();
    const path = () => `${profiles(IDENTIFICATION)}:identifySingleSpeaker?details=true&profileIds=${chosen()}`;
    return [make("h2", {}, "Identify"), ...controls, make("p", {}, SPEAK),
        recorder((blob) => decided(area, () => call("POST", path(), blob), identified)), area];
}

async function whoSpoke() {
    const area = answerArea(), { controls, chosen } = candidates();
    const voice = (speaker) => (speaker.startsWith("unknown-") ? `Stranger ${speaker.slice(8)}` : named(speaker));
    let leave = () => {};
    const input = recorder((blob) => decided(area, () => call("POST", `${profiles(IDENTIFICATION)}:identifyTurns?profileIds=${chosen()}`, blob), (answer) => {
        leave();
        const drawing = timeline(answer, blob, voice);
        leave = drawing.leave;
        return drawing.parts;
    }));
    input.addEventListener("leave", () => leave());
    return [make("h2", {}, "Turns"), ...controls, make("p", {}, "A conversation of up to five minutes: who speaks when?"), input, area];
}

function identified(answer) {
    const { profileId, score } = answer.identifiedProfile;
    const isSomebody = !/^[0-]+$/.test(profileId);
    return [make("p", { class: `answer ${isSomebody ? "yes" : "no"}` }, isSomebody ? `It is ${named(profileId)}.` : "Nobody of these."),
        scale(score, answer.details?.threshold ?? null),
        table(["Person", "Score"], answer.profilesRanking.map((ranked) => [named(ranked.profileId), ranked.score.toFixed(3)]))];
}

// The guided first visit

async function firstVisit() {
    const agreed = make("input", { type: "checkbox", required: true });
    return [make("h2", {}, "Your first visit"),
        make("p", {}, "In two minutes: your voice is enrolled with a phrase, and then recognised by it."),
        make("form", { onsubmit: (event) => {
            event.preventDefault();
            attempt(beginVisit);
        } }, make("label", { class: "check" }, agreed, make("span", {}, "I agree that my voice is stored until I delete it.")),
        make("button", { type: "submit" }, "Begin"))];
}

async function beginVisit() {
    const { profileId } = await call("POST", profiles(PHRASE), { locale: LOCALE });
    const person = { profileId, kind: PHRASE };
    await call("PUT", note(person, "consent"), { statementId: "console-first-visit", channel: "console" });
    await show("First visit", async () => {
        const area = answerArea();
        const bar = make("div", {}, progress(await call("GET", profile(person))));
        return [make("h2", {}, "Step 1 of 2: say a phrase, three times"),
            make("p", {}, "Choose one of these phrases. Press Record, say it, press Stop and send. Use the same phrase each time."),
            await phrases(person), bar, enroller(person, area, (answer) => {
                bar.replaceChildren(progress(answer));
                if (answer.remainingEnrollmentsCount === 0) show("First visit", () => verifyVisit(person, answer.passPhrase));
            }), area, giveUp(person)];
    });
}

async function verifyVisit(person, phrase) {
    const area = answerArea(), end = make("p");
    return [make("h2", {}, "Step 2 of 2: are you recognised?"), make("p", {}, "Say it once more: ", make("q", {}, phrase)),
        verifier(person, area, (answer) => {
            if (answer.recognitionResult === "Accept") end.textContent = "Done: you are verified. Let somebody else try, too.";
        }), area, end, make("p", {}, button("Keep this person", () => show("People", () => onePerson(person)))), giveUp(person)];
}

const giveUp = (person) => make("p", {}, button("Delete my voice", asked(() => remove(person, () => show("First visit", firstVisit)))));

// Settings

const SHIPPED = { rate: 0.01, tail: 0.75, least: 0.0079, most: 0.05 };

/** What a threshold lets through by the shipped calibration, as far as its data carries (docs: What a score means). */
function effect(score, hasOwn) {
    if (!(score > 0 && score < 1)) return "A threshold lies between 0 and 1.";
    if (hasOwn) return "Your own calibration is in force: its report says what this lets through.";
    const rate = SHIPPED.rate * (score / (1 - score)) ** -SHIPPED.tail;
    if (rate < SHIPPED.least) return `Fewer than 1 in ${Math.round(1 / SHIPPED.least)} strangers; more own voices are refused.`;
    if (rate > SHIPPED.most) return `More than 1 in ${Math.round(1 / SHIPPED.most)} strangers pass.`;
    return `About 1 in ${Math.round(1 / rate)} strangers passes.`;
}

const MANY = " That is for one comparison; among many people it may be five times as many.";

async function settings() {
    const now = await call("GET", "settings");
    const threshold = (name, title) => {
        const input = make("input", { type: "number", min: 0, max: 1, step: "any", required: true, value: now.thresholds[name] });
        const told = make("p", { "aria-live": "polite" });
        const tell = () => {
            told.textContent = effect(Number(input.value), now.calibration) + (name === "identification" ? MANY : "");
        };
        input.addEventListener("input", tell);
        tell();
        return { input, parts: [labelled(title, input), told] };
    };
    const verification = threshold("verification", "Threshold of verify"), identification = threshold("identification", "Threshold of identify");
    const age = daysInput(now.retention.maxAgeDays), idle = daysInput(now.retention.maxIdleDays);
    const recorded = make("input", { type: "number", min: 1, max: 400, step: 1, value: now.recordRecognitions?.days ?? "", placeholder: "not at all" });
    const details = now.details ? choice(["full", "rounded", "off"].map((value) => [value, value])) : null;
    if (details) details.value = now.details;
    const shown = () => ({
        thresholds: { verification: Number(verification.input.value), identification: Number(identification.input.value) },
        retention: { maxAgeDays: daysOf(age), maxIdleDays: daysOf(idle) },
        recordRecognitions: recorded.value === "" ? null : { days: Number(recorded.value) },
        ...(details ? { details: details.value } : {}),
    });
    const written = (value) => JSON.stringify(value);
    const before = shown();
    const change = () => Object.fromEntries(Object.entries(shown()).filter(([name, value]) => written(value) !== written(before[name])));
    return [make("h2", {}, "Settings"), make("form", { onsubmit: (event) => {
        event.preventDefault();
        attempt(async () => {
            await call("PATCH", "settings", change());
            await show("Settings", settings);
            say("Saved. Other instances follow within 30 seconds.");
        });
    } }, ...verification.parts, ...identification.parts,
    labelled("A voice ends so many days after its last enrollment", age), labelled("and so many days after its last use", idle),
    labelled("Decisions stay on record for days", recorded), details ? labelled("Explanations for keys that may only recognise", details) : null,
    make("button", { type: "submit" }, "Save"))];
}

// Audit

async function audit() {
    const action = make("input", { autocomplete: "off", placeholder: "profile.enroll" });
    const area = make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Records" });
    const rows = [];
    async function load(path) {
        const { entries, next } = await page(path);
        rows.push(...entries.map((entry) => [shortDate(entry.dateTime), entry.action, entry.outcome + (entry.reason ? `: ${entry.reason}` : ""),
            entry.caller, entry.profileId ? named(entry.profileId) : "",
            entry.changes.map(({ name, before, after }) => `${name}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`).join("; ")]));
        area.replaceChildren(table(["When (UTC)", "What", "Outcome", "Who", "Person", "Changes"], rows),
            next ? button("Show more", asked(() => load(next))) : "");
    }
    const first = () => {
        rows.length = 0;
        return load(`audit?maxpagesize=100${action.value ? `&action=${encodeURIComponent(action.value)}` : ""}`);
    };
    await first();
    return [make("h2", {}, "Audit"), make("form", { onsubmit: (event) => {
        event.preventDefault();
        attempt(first);
    } }, labelled("Action", action), make("button", { type: "submit" }, "Filter")), area];
}

// Pages

const PAGES = [
    ["First visit", firstVisit, () => !caller.operations && may("enroll")],
    ["People", people, () => may("list") || caller.profileId],
    ["Identify", identify, () => may("identify")],
    ["Turns", whoSpoke, () => may("identifyTurns")],
    ["Settings", settings, () => may("settings")],
    ["Audit", audit, () => may("audit")],
];

let pagesAsked = 0;

/** Of two pages that are asked for one after the other the later one is shown; after signing out, none. */
async function show(title, content) {
    const number = ++pagesAsked;
    for (const area of document.querySelectorAll(".recording")) area.dispatchEvent(new Event("leave"));
    const parts = await attempt(content);
    if (!parts || number !== pagesAsked) return;
    for (const entry of byId("nav").children) {
        if (entry.textContent === title) entry.setAttribute("aria-current", "page");
        else entry.removeAttribute("aria-current");
    }
    byId("view").replaceChildren(...parts.filter(Boolean));
    byId("main").focus();
}

async function signIn(event) {
    event.preventDefault();
    const input = byId("secret");
    hold(input.value.trim());
    input.value = "";
    const answer = await attempt(() => call("GET", "caller"));
    if (!answer) {
        hold("");
        return;
    }
    caller = answer;
    const shown = PAGES.filter(([, , isOpen]) => isOpen());
    byId("caller").textContent = caller.operations ? `a token of ${caller.name}, for ${caller.operations.join(", ")}` : `key ${caller.name}, role ${caller.role}`;
    byId("nav").replaceChildren(...shown.map(([title, content]) => button(title, () => show(title, content))));
    byId("sign-in").hidden = true;
    byId("nav").hidden = byId("sign-out").hidden = false;
    if (shown.length) await show(shown[0][0], shown[0][1]);
}

function signOut() {
    for (const area of document.querySelectorAll(".recording")) area.dispatchEvent(new Event("leave"));
    hold("");
    caller = null;
    pagesAsked += 1;
    byId("sign-in").hidden = false;
    byId("nav").hidden = byId("sign-out").hidden = true;
    byId("caller").textContent = "";
    byId("view").replaceChildren();
    byId("secret").focus();
}

byId("sign-in-form").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", signOut);
