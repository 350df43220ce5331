import { type ReactNode, useId } from "react";
import { text } from "../../text/text.ts";
import { ChoiceField, Field, TextField } from "../../ui/field.tsx";
import type { JobTimes, Repetition } from "./job-times.ts";

const words = text.times;
const windowDays = ["daily", "mon-fri", "sat-sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

// The catalogue has a word for each, and for nothing else.
const repetitions = Object.keys(words.repetitions) as Repetition[];

type TimesProps = {
  readonly times: JobTimes;
  readonly onChange: (times: JobTimes) => void;
};

/** When a job begins and how often, when it may work, and on how many computers at a time. */
export function JobTimesFields({ times, onChange }: TimesProps): ReactNode {
  const set = (change: Partial<JobTimes>): void => onChange({ ...times, ...change });
  return (
    <>
      <fieldset className="choices-row">
        <legend>{words.begins}</legend>
        {(["now", "later"] as const).map((begins) => (
          <label key={begins} className="choice">
            <input
              type="radio"
              name="begins"
              checked={times.begins === begins}
              onChange={() => set({ begins })}
            />
            <span>{words.beginsAt[begins]}</span>
          </label>
        ))}
        <label className="choice">
          <input
            type="checkbox"
            checked={times.hasWindow}
            onChange={(event) => set({ hasWindow: event.target.checked })}
          />
          <span>{words.window}</span>
        </label>
      </fieldset>
      {times.begins === "later" ? <LaterFields times={times} onChange={onChange} /> : null}
      {times.hasWindow ? <WindowFields times={times} onChange={onChange} /> : null}
      {times.begins === "later" || times.hasWindow ? (
        <TimeZoneField times={times} onChange={onChange} />
      ) : null}
      <TextField
        label={words.concurrency}
        hint={words.concurrencyHint}
        type="number"
        min={1}
        max={10_000}
        value={times.concurrency}
        onChange={(concurrency) => set({ concurrency })}
      />
    </>
  );
}

function LaterFields({ times, onChange }: TimesProps): ReactNode {
  const set = (change: Partial<JobTimes>): void => onChange({ ...times, ...change });
  return (
    <div className="field-row">
      <TextField
        label={words.at}
        type="datetime-local"
        required
        value={times.at}
        onChange={(at) => set({ at })}
      />
      <ChoiceField
        label={words.repeat}
        value={times.repetition}
        choices={repetitions.map((repetition) => [repetition, words.repetitions[repetition]])}
        onChange={(repetition) => set({ repetition })}
      />
      {times.repetition === "hours" ? (
        <TextField
          label={words.hours}
          type="number"
          required
          min={1}
          max={8784}
          value={times.everyHours}
          onChange={(hours) => set({ everyHours: Number(hours) })}
        />
      ) : null}
      {times.repetition === "pattern" ? (
        <TextField
          label={words.pattern}
          hint={words.patternHint}
          required
          className="mono"
          value={times.pattern}
          onChange={(pattern) => set({ pattern })}
        />
      ) : null}
    </div>
  );
}

function WindowFields({ times, onChange }: TimesProps): ReactNode {
  const set = (change: Partial<JobTimes>): void => onChange({ ...times, ...change });
  return (
    <div className="field-row">
      <ChoiceField
        label={words.windowDays}
        hint={words.windowHint}
        value={times.windowDays}
        choices={windowDays.map((days) => [days, words.days[days]])}
        onChange={(days) => set({ windowDays: days })}
      />
      {(["windowFrom", "windowTo"] as const).map((key) => (
        <TextField
          key={key}
          label={words[key]}
          type="time"
          required
          value={times[key]}
          onChange={(time) => set({ [key]: time })}
        />
      ))}
    </div>
  );
}

function TimeZoneField({ times, onChange }: TimesProps): ReactNode {
  const listId = useId();
  return (
    <Field label={words.timeZone} hint={words.timeZoneHint}>
      {(id, hint) => (
        <>
          <input
            id={id}
            aria-describedby={hint}
            list={listId}
            required
            value={times.timeZone}
            onChange={(event) => onChange({ ...times, timeZone: event.target.value })}
          />
          <datalist id={listId}>
            {["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
