import click

with open("/etc/app.conf") as file:
    click.echo(file.read(), nl=False)
