/** The keys, as they are bound now. */
import { allBindings } from "../keys";
import { Dialog } from "../parts/dialog";

const MAC = /Mac|iP/.test(navigator.platform);

function shown(keys: string): string[] {
	return keys.split(" ").flatMap((one) => {
		if (!one.startsWith("mod+")) return [one];
		return [MAC ? "⌘" : "Ctrl", one.slice(4).toUpperCase()];
	});
}

/** The list. */
export function Help({ close }: { close: () => void }) {
	const bindings = allBindings();
	const going = bindings.filter((one) => one.keys.startsWith("g "));
	const others = bindings.filter((one) => !one.keys.startsWith("g "));
	return (
		<Dialog title="Keys" close={close}>
			<div class="keys">
				<Keys of={others} />
				<div>
					<h3>Go to</h3>
					<Keys of={going} />
				</div>
			</div>
		</Dialog>
	);
}

function Keys({ of }: { of: readonly { keys: string; does: string }[] }) {
	return (
		<dl>
			{of.map((one) => (
				<div key={one.keys + one.does}>
					<dt>
						{shown(one.keys).map((key) => (
							<kbd key={key}>{key}</kbd>
						))}
					</dt>
					<dd>{one.does}</dd>
				</div>
			))}
		</dl>
	);
}
