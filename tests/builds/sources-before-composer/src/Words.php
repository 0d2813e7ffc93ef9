<?php
namespace Report;

class Words
{
}
