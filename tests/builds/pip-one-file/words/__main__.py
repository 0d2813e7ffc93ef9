import click
import jinja2


@click.command()
@click.argument("text", default="one two three")
def main(text):
    click.echo(jinja2.Template("{{ count }} words").render(count=len(text.split())))


main()
