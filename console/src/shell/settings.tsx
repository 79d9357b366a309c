/** The foot of the navigation: live or paused, the theme, times, who looks. */
import { line } from "../live/stream";
import { paused } from "../live/switch";
import { Icon } from "../parts/icons";
import { Choice, Menu } from "../parts/menu";
import { density, theme, times } from "../preferences";
import { me } from "../session";

/** The foot. */
export function Settings({ help }: { help: () => void }) {
	const who = me.value;
	return (
		<div class="foot">
			<Live />
			<div class="row">
				<Menu ghost title="How the console looks" label={<Look />}>
					<div class="pad">
						<p class="caption">Theme</p>
						<Choice
							label="Theme"
							of={["system", "light", "dark"]}
							value={theme.value}
							choose={(one) => {
								theme.value = one;
							}}
						/>
						<p class="caption">Times</p>
						<Choice
							label="Times"
							of={["relative", "absolute"]}
							value={times.value}
							choose={(one) => {
								times.value = one;
							}}
						/>
						<p class="caption">Rows</p>
						<Choice
							label="Rows"
							of={["comfortable", "compact"]}
							value={density.value}
							choose={(one) => {
								density.value = one;
							}}
						/>
					</div>
				</Menu>
				<button type="button" class="ghost" onClick={help} title="Keys">
					<Icon name="help" />
					<span class="unseen">Keys</span>
				</button>
				{who && (
					<span class="who" title={`${who.name}, ${who.role}. Rotulus ${who.version}`}>
						{who.name} <span class="quiet">{who.role}</span>
					</span>
				)}
			</div>
		</div>
	);
}

function Look() {
	return (
		<>
			<Icon
				name={theme.value === "dark" ? "moon" : theme.value === "light" ? "sun" : "system_theme"}
			/>
			<span class="unseen">Look</span>
		</>
	);
}

const WORDS = { connecting: "Connecting", live: "Live", lost: "No connection" };

/** The one switch that pauses the page. */
function Live() {
	const stands = paused.value ? "paused" : line.value;
	return (
		<button
			type="button"
			class={`live ${stands}`}
			aria-pressed={paused.value}
			title={
				paused.value ? "Follow what happens again (p)" : "Pause: nothing on the page changes (p)"
			}
			onClick={() => {
				paused.value = !paused.value;
			}}
		>
			<span class="dot" aria-hidden="true" />
			<span role="status">{paused.value ? "Paused" : WORDS[line.value]}</span>
			<Icon name={paused.value ? "play" : "pause"} size={13} />
		</button>
	);
}
