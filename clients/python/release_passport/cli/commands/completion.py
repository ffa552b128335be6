"""`passport completion`: the completion script for a shell."""

from __future__ import annotations

import click


@click.command(short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \u0008
    bash  echo 'eval "$(passport completion bash)"' >> ~/.bashrc
    zsh   echo 'eval "$(passport completion zsh)"' >> ~/.zshrc
    fish  passport completion fish > ~/.config/fish/completions/passport.fish
    """
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    assert completer is not None
    # The class's own source() would first run the shell to look at its version; the script alone is wanted.
    script = completer(ctx.find_root().command, {}, "passport", "_PASSPORT_COMPLETE")
    click.echo(script.source_template % script.source_vars())
