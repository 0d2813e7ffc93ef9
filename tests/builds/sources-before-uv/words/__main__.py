import click

click.echo("one two three")
