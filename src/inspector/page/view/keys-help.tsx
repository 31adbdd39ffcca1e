const keys: readonly (readonly [keys: string, what: string])[] = [
  ['1 … 5', 'graph, time, tasks, events, machines'],
  ['/', 'search tasks'],
  ['← → in the graph', 'walk to a dependency or a dependent'],
  ['↑ ↓ in graph, time or list', 'the task before or after'],
  ['+ − 0', 'zoom in, zoom out, fit'],
  ['f', 'focus on what is up- and downstream of the task'],
  ['g', 'group tasks by the prefix of their ids'],
  ['x in the graph', 'show the child run of the task in place, or fold it'],
  ['Enter on a task', 'its details'],
  [', .', 'one event back, one on'],
  ['Space', 'play, stop'],
  ['l', 'the latest, live'],
  ['Esc', 'select no task'],
  ['?', 'this list'],
];

/** The list of keys. */
export function KeysHelp({ onEnd }: { readonly onEnd: () => void }) {
  return (
    <dialog
      id="keys"
      aria-labelledby="keys-title"
      ref={(dialog) => {
        if (dialog !== null && !dialog.open) dialog.showModal();
      }}
      onClose={onEnd}
    >
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
