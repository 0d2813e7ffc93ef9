import click

click.echo(open("templates/hello.txt").read().format("you"))
