import click
import jinja2

click.echo(jinja2.Template("{{ n }} lines").render(n=3))
